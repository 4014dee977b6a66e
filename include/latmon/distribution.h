/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of one kind, as a window (window.h) tells of them: number, sum, extremes, and a histogram.
 * All of it may be added up over windows, cores and hosts, and is then exact, but for what is
 * marked "not merged".
 *
 * Histograms are those of Prometheus (native, schema 7) and OpenTelemetry (exponential, scale 7):
 * bucket `index` counts values v with base^(index-1) < v <= base^index seconds, where
 * base = 2^(1/128); OpenTelemetry's index is one less. Negative values mirror positive ones. */
#ifndef LATMON_DISTRIBUTION_H
#define LATMON_DISTRIBUTION_H

#include <stdint.h>

#include "version.h"

LATMON_EXTERN_C_BEGIN

/* The schema of every histogram here. */
#define LATMON_HISTOGRAM_SCHEMA 7

typedef struct latmon_bucket {
    int32_t index;
    uint32_t count; /* At least 1. */
} latmon_bucket_t;

/* Values of one kind. Its buckets stand in latmon_window_t.buckets, in ascending order of index;
 * `count` is the sum of all of them and of `zero_count`. */
typedef struct latmon_distribution {
    uint64_t count;
    int64_t sum_ns; /* Exact; where it does not fit, the nearest that does. */
    int64_t min_ns; /* Exact, as max_ns; both mean something only if count is not 0. */
    int64_t max_ns;
    uint64_t zero_count;     /* Values of exactly 0. */
    uint32_t positive_first; /* Where its positive buckets begin, and how many there are. */
    uint32_t positive_count;
    uint32_t negative_first; /* Likewise of the negative ones, by the index of -v. */
    uint32_t negative_count;
} latmon_distribution_t;

/* How much a delay changed from one probe to the next (IPDV, RFC 3393 section 4.2 with consecutive
 * packets as the selection function). Pairs of consecutive sequence numbers alone. */
typedef struct latmon_variation {
    uint64_t count;      /* Pairs. */
    int64_t abs_sum_ns;  /* Sum of the changes, without sign. */
    int64_t min_ns;      /* The largest fall, and the largest rise; negative is a fall. */
    int64_t max_ns;      /* Both mean something only if count is not 0. */
    int64_t smoothed_ns; /* Interarrival jitter of RFC 3550 section 6.4.1 over all pairs so far, as
                            it stood at the window's end. Not merged. */
} latmon_variation_t;

LATMON_EXTERN_C_END

#endif /* LATMON_DISTRIBUTION_H */
