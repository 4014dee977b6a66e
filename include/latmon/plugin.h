/* SPDX-License-Identifier: Apache-2.0
 *
 * What a plugin gives latmon: one table of functions behind one exported symbol.
 *
 * The life of one exporter, left to right:
 *
 *   dlopen -> latmon_plugin_entry() -> create() -> [ export_batch()* flush() ]* -> destroy()
 *
 * One plugin may serve several exporters at once, one for each [[exporters]] table that names it:
 * create() is called for each, and each has its own thread. Keep no state outside of what create()
 * returns.
 *
 * Threads, as written in the tags below:
 *   main-thread      sets up and tears down; never while another call into this exporter runs.
 *   exporter-thread  belongs to this exporter alone: export_batch() and flush() run there, one at a
 *                    time. A plugin may block there, and the cost is dropped samples, never a late
 *                    probe: the core-threads put samples into a queue and do not wait.
 *   any-thread       these and the plugin's own, several at once.
 * and state:
 *   active           after a successful create(), before destroy().
 *
 * Rules: no exception, no longjmp, no exit() across this border. A plugin may start threads of its
 * own, blocks all signals in them, and has joined them when destroy() returns. The library is never
 * unloaded. */
#ifndef LATMON_PLUGIN_H
#define LATMON_PLUGIN_H

#include <stdint.h>

#include "host.h"
#include "sample.h"
#include "version.h"

LATMON_EXTERN_C_BEGIN

/* The outcome of export_batch() and flush(). latmon counts the samples of a batch under the outcome
 * and does not hand them over again: a plugin that wants to retry keeps copies. */
typedef enum latmon_result {
    LATMON_RESULT_OK = 0,   /* Taken: exported, or in the plugin's own keeping and accounts. */
    LATMON_RESULT_ERROR = 1 /* The whole batch is gone. Say why in the log, once, not per batch. */
} latmon_result_t;

typedef struct latmon_plugin {
    uint32_t struct_size; /* sizeof(latmon_plugin_t) when the plugin was compiled. */
    uint32_t abi_version; /* LATMON_ABI_VERSION when the plugin was compiled. */

    /* Must equal the basename of the file: "zeromq" for zeromq.so. Static. */
    const char* name;

    /* The plugin's own version, for the log, such as "1.2". Static. */
    const char* version;

    /* Acquires whatever the exporter needs. Returns NULL, after saying why through host->log(), if
     * the options cannot be honoured; that refuses the exporter and latmon does not start. A server
     * that does not answer is no reason to refuse: try again in export_batch().
     * `host` is valid until destroy() returns; `options` is borrowed until create() returns.
     * [main-thread & !active] */
    void* (*create)(const latmon_host_t* host, const latmon_options_t* options);

    /* Takes `count` samples, at least one. Samples of one core-thread come in the order in which
     * they were made; those of several are not sorted. `samples` is borrowed until return.
     * [exporter-thread & active] */
    latmon_result_t (*export_batch)(void* exporter, const latmon_sample_t* samples, uint32_t count);

    /* Hands on whatever the plugin still buffers. Called about once a second, when the queues are
     * empty after a batch, and a last time before destroy(). May be NULL.
     * [exporter-thread & active] */
    latmon_result_t (*flush)(void* exporter);

    /* Releases everything. No call follows. Should return within five seconds.
     * [main-thread & active] */
    void (*destroy)(void* exporter);

    /* An ability that the plugin has in addition, or NULL. Ids: include/latmon/README.md. May be
     * NULL itself.
     * [any-thread] */
    const void* (*extension)(const char* id);

    /* ABI 1 ends here. Append below this line; never reorder, never remove. */
} latmon_plugin_t;

/* The one symbol that a plugin exports. Returns the same static table every time, and touches
 * nothing else: latmon asks before it has decided whether the plugin may live.
 * [main-thread & !active] */
LATMON_EXPORT const latmon_plugin_t* latmon_plugin_entry(void);

LATMON_EXTERN_C_END

#endif /* LATMON_PLUGIN_H */
