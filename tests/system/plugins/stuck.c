/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin that does not return: every export_batch() blocks for `seconds`, as one does whose
 * server has gone. On its exporter-thread that must cost nobody anything but samples of its own. It
 * counts what it begins, so that there is a counter of a plugin's own to be seen. */
#define _GNU_SOURCE
#include <latmon/latmon.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

struct exporter {
    double seconds;
    const latmon_counters_t* counters;
    latmon_counter_t* begun;
};

static void* create(const latmon_host_t* host, const latmon_options_t* options) {
    struct exporter* const exporter = malloc(sizeof(*exporter));
    if (exporter == NULL) return NULL;
    exporter->seconds = host->option_float(options, "seconds", 10.0, 0.0, 3600.0);
    exporter->counters = host->extension(host, LATMON_COUNTERS_1);
    exporter->begun = exporter->counters->counter(host, "begun_samples_total");
    return exporter;
}

static latmon_result_t export_batch(void* self, const latmon_sample_t* samples, uint32_t count) {
    const struct exporter* const exporter = self;
    struct timespec left;
    (void)samples;
    exporter->counters->add(exporter->begun, count);
    left.tv_sec = (time_t)exporter->seconds;
    left.tv_nsec = (long)((exporter->seconds - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
    return LATMON_RESULT_OK;
}

static void destroy(void* exporter) {
    free(exporter);
}

LATMON_EXPORT const latmon_plugin_t* latmon_plugin_entry(void) {
    static const latmon_plugin_t plugin = {
        .struct_size = sizeof(latmon_plugin_t),
        .abi_version = LATMON_ABI_VERSION,
        .name = "stuck",
        .version = "1",
        .create = create,
        .export_batch = export_batch,
        .flush = NULL,
        .destroy = destroy,
        .extension = NULL,
    };
    return &plugin;
}
