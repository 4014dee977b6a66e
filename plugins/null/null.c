/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes every sample and forgets it: the smallest legal plugin, and the one to copy when you write
 * your own. Also what a measurement runs with when only its own cost is of interest. C11, no state.
 * */
#include <latmon/latmon.h>

#include <stddef.h>

/* Anything that is not NULL: there is nothing to acquire. */
static char nothing;

static void* create(const latmon_host_t* host, const latmon_options_t* options) {
    (void)host;
    (void)options;
    return &nothing;
}

static latmon_result_t export_batch(void* exporter, const latmon_sample_t* samples,
                                    uint32_t count) {
    (void)exporter;
    (void)samples;
    (void)count;
    return LATMON_RESULT_OK;
}

static void destroy(void* exporter) {
    (void)exporter;
}

LATMON_EXPORT const latmon_plugin_t* latmon_plugin_entry(void) {
    static const latmon_plugin_t plugin = {
        .struct_size = sizeof(latmon_plugin_t),
        .abi_version = LATMON_ABI_VERSION,
        .name = "null",
        .version = "1",
        .create = create,
        .export_batch = export_batch,
        .flush = NULL,
        .destroy = destroy,
        .extension = NULL,
    };
    return &plugin;
}
