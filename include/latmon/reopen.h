/* SPDX-License-Identifier: Apache-2.0
 *
 * Extension "latmon.reopen/1" of a plugin: it writes to files, and can open them anew by their
 * names. latmon asks it to when an operator has moved them and sends SIGUSR1. A plugin offers it by
 *
 *   static const latmon_reopen_t reopen_1 = {.reopen = reopen};
 *   static const void* extension(const char* id) {
 *       return strcmp(id, LATMON_REOPEN_1) == 0 ? &reopen_1 : NULL;
 *   }
 *
 * and goes without in a latmon that never asks. The layout is fixed for ever by the id. */
#ifndef LATMON_REOPEN_H
#define LATMON_REOPEN_H

#include "plugin.h"

LATMON_EXTERN_C_BEGIN

#define LATMON_REOPEN_1 "latmon.reopen/1"

typedef struct latmon_reopen {
    /* Closes the exporter's files and opens them by their names, making those that are not there.
     * Loses nothing: what is buffered goes to either file. Comes between two batches, soon after
     * the signal; signals that come faster than that are one.
     * [exporter-thread & active] */
    latmon_result_t (*reopen)(void* exporter);
} latmon_reopen_t;

LATMON_EXTERN_C_END

#endif /* LATMON_REOPEN_H */
