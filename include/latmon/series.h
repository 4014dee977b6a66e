/* SPDX-License-Identifier: Apache-2.0
 *
 * Extension "latmon.series/1" of a plugin: it wants to know when series come and go while it runs,
 * because it shows something for each of them. Targets come and go when the operator changes the
 * configuration and latmon reloads it. A plugin that only passes samples on does without. The
 * layout is fixed for ever by the id. */
#ifndef LATMON_SERIES_H
#define LATMON_SERIES_H

#include <stdint.h>

#include "plugin.h"

LATMON_EXTERN_C_BEGIN

#define LATMON_SERIES_1 "latmon.series/1"

typedef struct latmon_series_events {
    /* These series are there now, though they have no sample yet. Those that were there when
     * create() was called are not told again: go through host->series() from 0 to series_count().
     * `ids` is borrowed until return. [exporter-thread & active] */
    void (*added)(void* exporter, const uint32_t* ids, uint32_t count);

    /* These series are over: all their samples and windows have been handed over, none follows.
     * Forget their values. The same id may be added again: then it is the same target, back with
     * everything from zero. `ids` is borrowed until return. [exporter-thread & active] */
    void (*removed)(void* exporter, const uint32_t* ids, uint32_t count);
} latmon_series_events_t;

LATMON_EXTERN_C_END

#endif /* LATMON_SERIES_H */
