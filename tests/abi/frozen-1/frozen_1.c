/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin of latmon 0.1, built from the headers beside it. It calls every function that the host
 * of ABI 1 has and writes what it was told to a file, where tests/abi/loading_test.cpp reads it.
 * This file is never edited. */
#include <latmon/latmon.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct frozen {
    const latmon_host_t* host;
    FILE* file;
};

static void write_options(struct frozen* self, const latmon_options_t* options) {
    const latmon_host_t* host = self->host;
    const char* first = host->option_list_item(options, "list", 0);
    const char* second = host->option_list_item(options, "list", 1);
    const char* third = host->option_list_item(options, "list", 2);
    fprintf(self->file, "options %d %" PRId64 " %.1f %s,%s",
            host->option_bool(options, "flag", false),
            host->option_int(options, "whole", 1, 0, 100),
            host->option_float(options, "real", 1.0, 0.0, 100.0), first, second);
    fprintf(self->file, " series %" PRIu32 " extension %s%s\n", host->series_count(host),
            host->extension(host, "latmon.none/1") == NULL ? "none" : "some",
            third == NULL ? "" : " and a third");
}

static void* create(const latmon_host_t* host, const latmon_options_t* options) {
    struct frozen* self;
    if (host->abi_version != LATMON_ABI_VERSION) return NULL;
    if (host->struct_size < offsetof(latmon_host_t, extension) + sizeof(host->extension))
        return NULL;
    self = malloc(sizeof(*self));
    if (self == NULL) return NULL;
    self->host = host;
    self->file = fopen(host->option_string(options, "file", "frozen.txt"), "w");
    if (self->file == NULL) {
        host->log(host, LATMON_LOG_ERROR, "the file cannot be opened");
        free(self);
        return NULL;
    }
    if (host->log_enabled(host, LATMON_LOG_INFO)) host->log(host, LATMON_LOG_INFO, host->version);
    write_options(self, options);
    return self;
}

static void write_exchange(struct frozen* self, const latmon_sample_t* sample,
                           const latmon_series_t* series) {
    uint32_t index;
    fprintf(self->file, "%s %s %s ", sample->protocol == LATMON_PROTOCOL_UDP ? "udp" : "tcp",
            series->source, series->target);
    for (index = 0; index < series->tags_count; ++index) {
        fprintf(self->file, "%s%s", index == 0 ? "" : ",", series->tags[index]);
    }
    if ((sample->valid & LATMON_HAS_SEQUENCE) != 0) {
        fprintf(self->file, " sequence %" PRIu32, sample->sequence);
    }
    if ((sample->valid & LATMON_HAS_RTT) != 0) {
        fprintf(self->file, " rtt_ns %" PRId64, sample->rtt_ns);
    }
    fprintf(self->file, "\n");
}

static latmon_result_t export_batch(void* exporter, const latmon_sample_t* samples,
                                    uint32_t count) {
    struct frozen* self = exporter;
    uint32_t index;
    for (index = 0; index < count; ++index) {
        const latmon_sample_t* sample = &samples[index];
        const latmon_series_t* series = self->host->series(self->host, sample->series_id);
        if (series == NULL || series->series_id != sample->series_id) return LATMON_RESULT_ERROR;
        if (sample->kind == LATMON_KIND_EXCHANGE) write_exchange(self, sample, series);
        if (sample->kind == LATMON_KIND_NODE && (sample->valid & LATMON_HAS_VALUE) != 0) {
            fprintf(self->file, "%s %" PRId64 "\n", series->name, sample->value);
        }
    }
    return LATMON_RESULT_OK;
}

static latmon_result_t flush(void* exporter) {
    struct frozen* self = exporter;
    fprintf(self->file, "flush\n");
    return fflush(self->file) == 0 ? LATMON_RESULT_OK : LATMON_RESULT_ERROR;
}

static void destroy(void* exporter) {
    struct frozen* self = exporter;
    fprintf(self->file, "destroy\n");
    fclose(self->file);
    free(self);
}

static const void* extension(const char* id) {
    (void)id;
    return NULL;
}

LATMON_EXPORT const latmon_plugin_t* latmon_plugin_entry(void) {
    static const latmon_plugin_t plugin = {
        .struct_size = sizeof(latmon_plugin_t),
        .abi_version = LATMON_ABI_VERSION,
        .name = "frozen_1",
        .version = "1",
        .create = create,
        .export_batch = export_batch,
        .flush = flush,
        .destroy = destroy,
        .extension = extension,
    };
    return &plugin;
}
