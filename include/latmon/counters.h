/* SPDX-License-Identifier: Apache-2.0
 *
 * Extension "latmon.counters/1" of the host: counters of an exporter's own, which latmon exports
 * beside its own as samples of kind LATMON_KIND_NODE: their series' name is
 * "exporter_" and the counter's name, their target is the exporter's name. Asked for with
 *
 *   const latmon_counters_t* counters = host->extension(host, LATMON_COUNTERS_1);
 *
 * which is NULL in a latmon that does not have it: a plugin then goes on without. The layout is
 * fixed for ever by the id. */
#ifndef LATMON_COUNTERS_H
#define LATMON_COUNTERS_H

#include <stdint.h>

#include "host.h"

LATMON_EXTERN_C_BEGIN

#define LATMON_COUNTERS_1 "latmon.counters/1"

/* The most counters that one exporter may have. */
#define LATMON_COUNTERS_MAX 32u

/* One counter; latmon's, valid until destroy() returns. */
typedef struct latmon_counter latmon_counter_t;

typedef struct latmon_counters {
    /* The exporter's counter `name`, made with the value 0 if there is none of that name yet: 1 to
     * 64 of a..z, 0..9 and '_', ending in "_total" if it only ever grows. Copies `name`. NULL for
     * a name that breaks this, for those of latmon's own counters of an exporter
     * ("made_samples_total" and the like), and if there are LATMON_COUNTERS_MAX already.
     * [main-thread & in create()] */
    latmon_counter_t* (*counter)(const latmon_host_t* host, const char* name);

    /* Adds to it; `counter` may be NULL: then nothing happens. Wait-free.
     * [any-thread] */
    void (*add)(latmon_counter_t* counter, uint64_t value);

    /* Gives it a value, for what may also shrink, such as a queue's length. As add().
     * [any-thread] */
    void (*set)(latmon_counter_t* counter, uint64_t value);
} latmon_counters_t;

LATMON_EXTERN_C_END

#endif /* LATMON_COUNTERS_H */
