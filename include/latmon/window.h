/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows: what became of one series in 1 s, 5 s or 60 s, counted and summed up. An exporter takes
 * samples, windows, or both. A plugin offers it by
 *
 *   static const latmon_windows_t windows_1 = {
 *       .default_lengths = LATMON_WINDOW_1S, .default_kinds = 0, .export_windows = export_windows};
 *   static const void* extension(const char* id) {
 *       return strcmp(id, LATMON_WINDOWS_1) == 0 ? &windows_1 : NULL;
 *   }
 *
 * and gets none in a latmon that does not have it. The operator's keys `windows` and `samples` in
 * the [[exporters]] table win over the defaults. In create(), option_list_item(options, "windows",
 * n) tells what the operator wrote: "1s", "5s", "60s"; nothing if the key is not there.
 *
 * Windows tumble: they follow each other without gap or overlap, and begin at whole multiples of
 * their length since 1970 (CLOCK_REALTIME). A sample belongs to the window in which it was made
 * (latmon_sample_t.time_ns): a probe that is lost counts when that is known, which is its timeout
 * later. Whenever the wall clock is set, a window may be shorter or longer; no sample is counted
 * twice or left out. A window in which a series had no sample is not given.
 *
 * Everything but what is marked "not merged" may be added up over windows, cores and hosts, and is
 * then exactly what one window over all of it would have been. */
#ifndef LATMON_WINDOW_H
#define LATMON_WINDOW_H

#include <stdint.h>

#include "distribution.h"
#include "host.h"
#include "plugin.h"

LATMON_EXTERN_C_BEGIN

#define LATMON_WINDOWS_1 "latmon.windows/1"

/* Bits of latmon_windows_t.default_lengths. */
#define LATMON_WINDOW_1S (1u << 0)
#define LATMON_WINDOW_5S (1u << 1)
#define LATMON_WINDOW_60S (1u << 2)

/* Percentiles of the round trip in latmon_window_t.rtt_percentile_ns: nearest rank over the
 * answered and the lost, where lost is longer than anything. */
typedef enum latmon_percentile {
    LATMON_P50 = 0,
    LATMON_P90 = 1,
    LATMON_P95 = 2,
    LATMON_P99 = 3,
    LATMON_P999 = 4,
    LATMON_P9999 = 5
} latmon_percentile_t;
#define LATMON_PERCENTILES 6u

/* Places in the arrays by status, by owd_class and by blame bit; those that nothing is defined for
 * yet are 0. */
#define LATMON_WINDOW_STATUSES 16u
#define LATMON_WINDOW_OWD_CLASSES 8u
#define LATMON_WINDOW_BLAMES 8u

/* Bits of latmon_window_t.valid. */
#define LATMON_WINDOW_HAS_LOSS_RATIO (1u << 0)  /* loss_ratio */
#define LATMON_WINDOW_HAS_OBJECTIVE (1u << 1)   /* objective_... */
#define LATMON_WINDOW_HAS_SLOWEST (1u << 2)     /* slowest_... */
#define LATMON_WINDOW_HAS_LAST (1u << 3)        /* last_rtt_ns */
#define LATMON_WINDOW_HAS_LATENESS (1u << 4)    /* lateness_... */
#define LATMON_WINDOW_HAS_VALUE (1u << 5)       /* value_... */
#define LATMON_WINDOW_HAS_TCP_ACK (1u << 6)     /* tcp_ack_... */
#define LATMON_WINDOW_KEEPS_OBJECTIVE (1u << 7) /* Kept: never where objective_count is 0. */

typedef struct latmon_window {
    uint32_t struct_size; /* sizeof(latmon_window_t) when latmon was compiled. */
    uint32_t series_id;   /* As in latmon_sample_t. */
    int64_t begin_ns;     /* CLOCK_REALTIME, since 1970. */
    int64_t length_ns;    /* 1, 5 or 60 s. */
    uint32_t valid;       /* LATMON_WINDOW_HAS_...: which of the fields named there hold a value. */
    uint32_t percentile_valid; /* Bit n: rtt_percentile_ns[n] holds a value. Otherwise that rank
                                  was lost; or there was nothing, which is so if rtt.count and
                                  lost - lost_left_out are both 0. */

    uint64_t samples;                           /* All there were. */
    uint64_t by_status[LATMON_WINDOW_STATUSES]; /* Index: latmon_status_t. */
    uint64_t answered;                          /* OK and REORDERED. */
    uint64_t lost;                              /* LOST, LOST_FORWARD, LOST_REVERSE and
                                                     UNREACHABLE: by the network or the far end. */
    uint64_t lost_local;                        /* LOCAL_ERROR, LOST_LOCAL_TX, LOST_LOCAL_RX: by
                                                     this host; in no ratio and no percentile. */
    double loss_ratio;                          /* lost / (answered + lost). Not merged. */
    uint64_t loss_bursts;                       /* Runs of lost sequence numbers that began. */
    uint64_t loss_burst_max;                    /* The longest run that grew in this window. */
    uint64_t by_blame[LATMON_WINDOW_BLAMES];    /* Samples with this bit of `blame`. Neither
                                                     here nor in `tainted` and `left_out` are LATE
                                                     and DUPLICATE: their probe has been counted. */
    uint64_t tainted;                           /* Samples with any blame that concerns a round
                                                     trip: all but CLOCK_UNSYNCED. */
    uint64_t left_out;                          /* Of them, left out as the operator asked for by
                                                     tainted = "exclude": of distributions,
                                                     variations, percentiles, the objective,
                                                     slowest_... and tcp_ack_.... All else counts
                                                     them, loss too. */
    uint64_t by_owd_class[LATMON_WINDOW_OWD_CLASSES]; /* Answered; index: latmon_owd_class_t. */

    latmon_distribution_t rtt;       /* rtt_ns. Of KIND_TIMING: the observations. */
    latmon_distribution_t owd_fwd;   /* owd_fwd_ns of classes BOUNDED and ESTIMATED. Of reflections:
                                       the delay from the peer to us. */
    latmon_distribution_t owd_rev;   /* owd_rev_ns, likewise. */
    latmon_variation_t rtt_ipdv;     /* Of rtt_ns. */
    latmon_variation_t owd_fwd_ipdv; /* Of T2 - T1: needs no synchronised clocks. */
    latmon_variation_t owd_rev_ipdv; /* Of T4 - T3. */
    int64_t rtt_percentile_ns[LATMON_PERCENTILES]; /* Index: latmon_percentile_t. Not merged. */

    int64_t slowest_rtt_ns; /* The exchange with the longest round trip, or the first of them. */
    int64_t slowest_time_ns;
    uint32_t slowest_sequence;
    uint32_t last_sequence; /* The last one answered. */
    int64_t last_rtt_ns;    /* Not merged, as last_sequence. */

    uint64_t lateness_count; /* Probes that say how late we sent them. */
    int64_t lateness_sum_ns;
    int64_t lateness_max_ns;

    uint64_t tcp_ack_count; /* tcp_ack_ns: sum and extremes. */
    int64_t tcp_ack_sum_ns;
    int64_t tcp_ack_min_ns;
    int64_t tcp_ack_max_ns;

    /* The target's objective, such as 99 % of exchanges within 200 us: of `objective_count`
     * exchanges (answered and lost, less those left out) so many were answered within
     * objective_rtt_ns. It is kept (LATMON_WINDOW_KEEPS_OBJECTIVE) if these are no fewer than
     * objective_ratio of all, less 1e-6 of an exchange for rounding. */
    double objective_ratio;
    int64_t objective_rtt_ns;
    uint64_t objective_count;
    uint64_t objective_good;

    /* KIND_COUNTER: value_sum is by how much it grew. KIND_GAUGE: its values. */
    int64_t value_sum;
    double value_min;
    double value_max;
    double value_last; /* Not merged. */
    int64_t value_last_ns;

    const latmon_bucket_t* buckets; /* Of all distributions; borrowed as the window is. */
    uint32_t bucket_count;
    uint32_t reserved;
    /* latmon.windows/1 ends here. Append below this line; never reorder, never remove. */

    uint64_t lost_left_out; /* Of `lost`, those that are among `left_out`: in no percentile, and not
                               in objective_count. */
} latmon_window_t;

/* What a plugin offers. The layout is fixed for ever by the id. */
typedef struct latmon_windows {
    /* What an exporter gets whose table has no key `windows`: bits LATMON_WINDOW_...; 0: none. */
    uint32_t default_lengths;
    /* And whose table has no key `samples`: bit `1 << latmon_kind_t`; 0: no samples at all. */
    uint32_t default_kinds;

    /* Takes `count` windows, at least one, in the order of their ends. They and what they point to
     * are borrowed until return. The outcome counts as that of export_batch() does.
     * [exporter-thread & active] */
    latmon_result_t (*export_windows)(void* exporter, const latmon_window_t* const* windows,
                                      uint32_t count);
} latmon_windows_t;

/* What latmon offers by the same id, through host->extension(). */
typedef struct latmon_window_tools {
    /* The value of a distribution at or below which `ratio` (0 to 1) of `count` + `above` values
     * lie: nearest rank; `above` values, such as the lost, are greater than any. Right within
     * 0.28 % of itself, and exact at both ends. False if there is nothing, or that rank is `above`:
     * *value_ns is then untouched.
     * [any-thread] */
    bool (*quantile)(const latmon_window_t* window, const latmon_distribution_t* distribution,
                     double ratio, uint64_t above, int64_t* value_ns);
} latmon_window_tools_t;

LATMON_EXTERN_C_END

#endif /* LATMON_WINDOW_H */
