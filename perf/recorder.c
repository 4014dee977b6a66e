/* SPDX-License-Identifier: Apache-2.0
 *
 * The plugin that measurements get their percentiles from: counts every sample of 200,000 a second
 * into histograms and writes one JSON document when latmon ends. Exporter-thread; it keeps nothing
 * of a single sample. With `stall_ms` it is the plugin that does not behave. Not installed.
 *
 *   [[exporters]]
 *   path = "build/release/perf/recorder.so"
 *   file = "/tmp/out.json"   Where the document goes.
 *   skip_ms = 2000           Samples due in this time since the first one are not counted,
 *   count_ms = 5000          and of those after it only what is due in this time; 0: all. latmon's
 *                            own counters are kept as they were at both ends of that.
 *   watched = "t00001"       The target that has histograms of its own besides.
 *   stall_ms = 0             Every batch takes so long.
 */
#define _GNU_SOURCE /* nanosleep() beside -std=c11. */
#include <latmon/latmon.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A bucket is a 64th of an octave: a figure is right within 0.8 %. Below 64 ns each has its own. */
#define SUB_BITS 6u
#define SUB_COUNT (1u << SUB_BITS)
#define BUCKET_COUNT ((63u - SUB_BITS + 1u) * SUB_COUNT)
#define NODE_SERIES_MAX 256u
#define STATUS_MAX 16u
#define STAMP_MAX 5u

enum metric { RTT, RTT_USER, TURNAROUND, LATENESS, LOCAL_TX, LOCAL_RX, FORWARD, REVERSE, METRICS };

static const char* const metric_names[METRICS] = {"rtt",      "rtt_user", "turnaround", "lateness",
                                                  "local_tx", "local_rx", "forward",    "reverse"};

struct histogram {
    uint64_t count;
    uint64_t negative; /* Two stamps out of order: they stand below all buckets. */
    int64_t min, max;
    double sum;
    uint64_t buckets[BUCKET_COUNT];
};

/* One counter of latmon's own, as it was last seen before the stretch that is counted, and in it.
 * Without anything before: as it was first seen. */
struct node_series {
    const latmon_series_t* series;
    uint16_t core;
    int64_t first, last, first_ns, last_ns;
};

struct recorder {
    const latmon_host_t* host;
    const char* path;
    const char* watch;
    int64_t skip_ns, count_ns, stall_ns;
    int64_t begin_ns, last_due_ns;      /* Due times of what is counted. */
    int64_t first_seen_ns, all_seen_ns; /* When the first answer came, and the last first one. */
    uint64_t seen_count, counted, blamed;
    uint64_t status[STATUS_MAX];
    uint64_t blame[32];
    uint64_t stamps[4][STAMP_MAX];
    uint8_t* seen; /* By series id. */
    uint32_t seen_size;
    uint32_t watch_id;
    struct node_series nodes[NODE_SERIES_MAX];
    uint32_t node_count;
    struct histogram all[METRICS];
    struct histogram watched[METRICS];
};

static uint32_t bucket_of(uint64_t value) {
    if (value < SUB_COUNT) return (uint32_t)value;
    const uint32_t octave = 63u - (uint32_t)__builtin_clzll(value) - SUB_BITS;
    return (octave + 1u) * SUB_COUNT + (uint32_t)(value >> octave) - SUB_COUNT;
}

static double middle_of(uint32_t bucket) {
    if (bucket < SUB_COUNT) return (double)bucket;
    const uint32_t octave = bucket / SUB_COUNT - 1u;
    return ((double)(bucket % SUB_COUNT + SUB_COUNT) + 0.5) * (double)((uint64_t)1 << octave);
}

static void record(struct histogram* histogram, int64_t value) {
    if (histogram->count == 0 || value < histogram->min) histogram->min = value;
    if (histogram->count == 0 || value > histogram->max) histogram->max = value;
    ++histogram->count;
    histogram->sum += (double)value;
    if (value < 0) {
        ++histogram->negative;
    } else {
        ++histogram->buckets[bucket_of((uint64_t)value)];
    }
}

static double percentile(const struct histogram* histogram, double share) {
    const double rank = share * (double)histogram->count;
    double below = (double)histogram->negative;
    if (below >= rank && histogram->negative > 0) return (double)histogram->min;
    for (uint32_t bucket = 0; bucket < BUCKET_COUNT; ++bucket) {
        below += (double)histogram->buckets[bucket];
        if (below >= rank && histogram->buckets[bucket] > 0) return middle_of(bucket);
    }
    return (double)histogram->max;
}

static void record_sample(struct histogram* set, const latmon_sample_t* sample) {
    const uint32_t valid = sample->valid;
    if ((valid & LATMON_HAS_RTT) != 0) record(&set[RTT], sample->rtt_ns);
    if ((valid & LATMON_HAS_RTT_USER) != 0) record(&set[RTT_USER], sample->rtt_user_ns);
    if ((valid & LATMON_HAS_TURNAROUND) != 0) record(&set[TURNAROUND], sample->turnaround_ns);
    if ((valid & LATMON_HAS_SCHEDULE) != 0) record(&set[LATENESS], sample->lateness_ns);
    if ((valid & LATMON_HAS_LOCAL_TX) != 0) record(&set[LOCAL_TX], sample->local_tx_ns);
    if ((valid & LATMON_HAS_LOCAL_RX) != 0) record(&set[LOCAL_RX], sample->local_rx_ns);
    if ((valid & LATMON_HAS_T1) != 0 && (valid & LATMON_HAS_T2) != 0) {
        record(&set[FORWARD], sample->t2_ns - sample->t1_ns);
    }
    if ((valid & LATMON_HAS_T3) != 0 && (valid & LATMON_HAS_T4) != 0) {
        record(&set[REVERSE], sample->t4_ns - sample->t3_ns);
    }
}

/* Start-up: who was answered for the first time, and when. */
static void note_seen(struct recorder* self, const latmon_sample_t* sample) {
    if (sample->series_id >= self->seen_size || self->seen[sample->series_id] != 0) return;
    self->seen[sample->series_id] = 1;
    if (self->seen_count++ == 0) self->first_seen_ns = sample->time_ns;
    self->all_seen_ns = sample->time_ns;
    const latmon_series_t* const series = self->host->series(self->host, sample->series_id);
    if (series != NULL && strcmp(series->target, self->watch) == 0) {
        self->watch_id = sample->series_id;
    }
}

static void count_sample(struct recorder* self, const latmon_sample_t* sample) {
    if (self->begin_ns == 0) self->begin_ns = sample->scheduled_ns + self->skip_ns;
    if (sample->status == LATMON_STATUS_OK || sample->status == LATMON_STATUS_REORDERED) {
        note_seen(self, sample);
    }
    const int64_t since_ns = sample->scheduled_ns - self->begin_ns;
    if (since_ns < 0 || (self->count_ns > 0 && since_ns >= self->count_ns)) return;
    if (sample->scheduled_ns > self->last_due_ns) self->last_due_ns = sample->scheduled_ns;
    ++self->counted;
    if (sample->status < STATUS_MAX) ++self->status[sample->status];
    const uint32_t blame = sample->blame & ~LATMON_BLAME_CLOCK_UNSYNCED;
    if (blame != 0) ++self->blamed;
    for (uint32_t bit = 0; blame >> bit != 0 && bit < 32u; ++bit)
        self->blame[bit] += blame >> bit & 1u;
    if ((sample->valid & LATMON_HAS_RTT) != 0) {
        const uint8_t kinds[4] = {sample->t1_stamp, sample->t2_stamp, sample->t3_stamp,
                                  sample->t4_stamp};
        for (uint32_t index = 0; index < 4u; ++index)
            if (kinds[index] < STAMP_MAX) ++self->stamps[index][kinds[index]];
    }
    record_sample(self->all, sample);
    if (sample->series_id == self->watch_id) record_sample(self->watched, sample);
}

static void count_node(struct recorder* self, const latmon_sample_t* sample) {
    if (self->begin_ns == 0) self->begin_ns = sample->time_ns + self->skip_ns;
    const int64_t since_ns = sample->time_ns - self->begin_ns;
    if (self->count_ns > 0 && since_ns >= self->count_ns) return;
    for (uint32_t index = 0; index < self->node_count; ++index) {
        struct node_series* const node = &self->nodes[index];
        if (node->series->series_id != sample->series_id) continue;
        node->last = sample->value;
        node->last_ns = sample->time_ns;
        if (since_ns < 0) {
            node->first = node->last;
            node->first_ns = node->last_ns;
        }
        return;
    }
    const latmon_series_t* const series = self->host->series(self->host, sample->series_id);
    if (series == NULL || self->node_count == NODE_SERIES_MAX) return;
    /* What is told of each target would be thousands; these are a core's, and few. */
    if (strncmp(series->name, "ring_", 5) != 0 && strncmp(series->name, "loop_", 5) != 0 &&
        strncmp(series->name, "probes_", 7) != 0) {
        return;
    }
    self->nodes[self->node_count++] = (struct node_series){
        series, sample->core, sample->value, sample->value, sample->time_ns, sample->time_ns};
}

static latmon_result_t export_batch(void* exporter, const latmon_sample_t* samples,
                                    uint32_t count) {
    struct recorder* const self = exporter;
    for (uint32_t index = 0; index < count; ++index) {
        const latmon_sample_t* const sample = &samples[index];
        if (sample->kind == LATMON_KIND_EXCHANGE) count_sample(self, sample);
        if (sample->kind == LATMON_KIND_NODE) count_node(self, sample);
    }
    if (self->stall_ns > 0) {
        const struct timespec pause = {self->stall_ns / 1000000000, self->stall_ns % 1000000000};
        nanosleep(&pause, NULL);
    }
    return LATMON_RESULT_OK;
}

static void write_counts(FILE* file, const char* name, const uint64_t* counts, uint32_t size) {
    fprintf(file, "\"%s\": [", name);
    for (uint32_t index = 0; index < size; ++index)
        fprintf(file, "%s%" PRIu64, index == 0 ? "" : ", ", counts[index]);
    fputs("],\n", file);
}

static void write_set(FILE* file, const char* name, const struct histogram* set) {
    fprintf(file, "\"%s\": {", name);
    const char* comma = "";
    for (uint32_t index = 0; index < METRICS; ++index) {
        const struct histogram* const one = &set[index];
        if (one->count == 0) continue;
        fprintf(file,
                "%s\n \"%s\": {\"count\": %" PRIu64 ", \"negative\": %" PRIu64 ", \"min\": %" PRId64
                ", \"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, "
                "\"p999\": %.1f, \"max\": %" PRId64 ", \"mean\": %.1f}",
                comma, metric_names[index], one->count, one->negative, one->min,
                percentile(one, 0.5), percentile(one, 0.9), percentile(one, 0.99),
                percentile(one, 0.999), one->max, one->sum / (double)one->count);
        comma = ",";
    }
    fputs("},\n", file);
}

static void write_nodes(FILE* file, const struct recorder* self) {
    fputs("\"node\": [", file);
    for (uint32_t index = 0; index < self->node_count; ++index) {
        const struct node_series* const node = &self->nodes[index];
        fprintf(file,
                "%s\n {\"name\": \"%s\", \"core\": %u, \"first\": %" PRId64 ", \"last\": %" PRId64
                ", \"first_ns\": %" PRId64 ", \"last_ns\": %" PRId64 "}",
                index == 0 ? "" : ",", node->series->name, node->core, node->first, node->last,
                node->first_ns, node->last_ns);
    }
    fputs("]\n", file);
}

static void destroy(void* exporter) {
    struct recorder* const self = exporter;
    FILE* const file = self->path[0] == '\0' ? NULL : fopen(self->path, "w");
    if (file != NULL) {
        fprintf(file,
                "{\"counted\": %" PRIu64 ", \"blamed\": %" PRIu64 ", \"series_seen\": %" PRIu64
                ",\n\"begin_ns\": %" PRId64 ", \"last_due_ns\": %" PRId64
                ",\n\"first_seen_ns\": %" PRId64 ", \"all_seen_ns\": %" PRId64 ",\n",
                self->counted, self->blamed, self->seen_count, self->begin_ns, self->last_due_ns,
                self->first_seen_ns, self->all_seen_ns);
        write_counts(file, "status", self->status, STATUS_MAX);
        write_counts(file, "blame", self->blame, 7);
        write_counts(file, "t1_stamp", self->stamps[0], STAMP_MAX);
        write_counts(file, "t2_stamp", self->stamps[1], STAMP_MAX);
        write_counts(file, "t3_stamp", self->stamps[2], STAMP_MAX);
        write_counts(file, "t4_stamp", self->stamps[3], STAMP_MAX);
        write_set(file, "all", self->all);
        write_set(file, "watched", self->watched);
        write_nodes(file, self);
        fputs("}\n", file);
        fclose(file);
    }
    free(self->seen);
    free(self);
}

static void* create(const latmon_host_t* host, const latmon_options_t* options) {
    struct recorder* const self = calloc(1, sizeof *self);
    if (self == NULL) return NULL;
    self->host = host;
    self->path = host->option_string(options, "file", "");
    self->watch = host->option_string(options, "watched", "");
    self->skip_ns = host->option_int(options, "skip_ms", 0, 0, 3600000) * 1000000;
    self->count_ns = host->option_int(options, "count_ms", 0, 0, 3600000) * 1000000;
    self->stall_ns = host->option_int(options, "stall_ms", 0, 0, 3600000) * 1000000;
    self->watch_id = UINT32_MAX;
    self->seen_size = host->series_count(host);
    self->seen = calloc(self->seen_size + 1u, 1);
    if (self->seen == NULL) {
        free(self);
        return NULL;
    }
    return self;
}

LATMON_EXPORT const latmon_plugin_t* latmon_plugin_entry(void) {
    static const latmon_plugin_t plugin = {
        .struct_size = sizeof(latmon_plugin_t),
        .abi_version = LATMON_ABI_VERSION,
        .name = "recorder",
        .version = "1",
        .create = create,
        .export_batch = export_batch,
        .flush = NULL,
        .destroy = destroy,
        .extension = NULL,
    };
    return &plugin;
}
