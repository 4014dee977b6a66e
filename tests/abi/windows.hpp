// SPDX-License-Identifier: Apache-2.0
//
// Windows for the tests of the plugins: one in which everything has a value, with round numbers
// that can be told apart in what comes out.
#pragma once

#include <latmon/window.h>

#include <array>
#include <cstdint>

namespace latmon::test {

// Positive ones of rtt, then of owd_fwd, then negative ones of owd_fwd.
inline constexpr std::array<latmon_bucket_t, 4> window_buckets{
    {{-1'530, 4}, {-1'528, 5}, {-1'600, 1}, {-1'601, 2}}};

inline latmon_distribution_t distribution(std::int64_t min_ns, std::int64_t max_ns,
                                          std::int64_t sum_ns) {
    latmon_distribution_t values{};
    values.sum_ns = sum_ns;
    values.min_ns = min_ns;
    values.max_ns = max_ns;
    return values;
}

inline latmon_variation_t variation(std::int64_t scale_ns) {
    return {.count = 8,
            .abs_sum_ns = 4 * scale_ns,
            .min_ns = -scale_ns,
            .max_ns = 2 * scale_ns,
            .smoothed_ns = scale_ns / 2};
}

// Of a series of that kind; nine answered, one lost.
inline latmon_window_t full_window(std::uint32_t series_id) {
    latmon_window_t window{};
    window.struct_size = sizeof(window);
    window.series_id = series_id;
    window.begin_ns = 1'768'219'135'000'000'000;
    window.length_ns = 1'000'000'000;
    window.valid = LATMON_WINDOW_HAS_LOSS_RATIO | LATMON_WINDOW_HAS_OBJECTIVE |
                   LATMON_WINDOW_HAS_SLOWEST | LATMON_WINDOW_HAS_LAST | LATMON_WINDOW_HAS_LATENESS |
                   LATMON_WINDOW_HAS_VALUE | LATMON_WINDOW_HAS_TCP_ACK;
    window.percentile_valid = (1U << LATMON_P50) | (1U << LATMON_P90);
    window.samples = 12;
    window.by_status[LATMON_STATUS_OK] = 9;
    window.by_status[LATMON_STATUS_LOST] = 1;
    window.by_status[LATMON_STATUS_LATE] = 2;
    window.answered = 9;
    window.lost = 1;
    window.loss_ratio = 0.1;
    window.loss_bursts = 1;
    window.loss_burst_max = 1;
    window.by_blame[0] = 3;
    window.tainted = 3;
    window.by_owd_class[LATMON_OWD_BOUNDED] = 9;
    window.rtt = distribution(250'000, 256'000, 2'270'000);
    window.rtt.count = 9;
    window.rtt.positive_count = 2;
    window.owd_fwd = distribution(-172'000, 173'000, -171'000);
    window.owd_fwd.count = 4;
    window.owd_fwd.zero_count = 1;
    window.owd_fwd.positive_first = 2;
    window.owd_fwd.positive_count = 1;
    window.owd_fwd.negative_first = 3;
    window.owd_fwd.negative_count = 1;
    window.owd_rev = window.rtt;
    window.rtt_ipdv = variation(1'000);
    window.owd_fwd_ipdv = variation(2'000);
    window.owd_rev_ipdv = variation(4'000);
    window.rtt_percentile_ns[LATMON_P50] = 253'000;
    window.rtt_percentile_ns[LATMON_P90] = 255'000;
    window.slowest_rtt_ns = 256'000;
    window.slowest_time_ns = window.begin_ns + 5;
    window.slowest_sequence = 7;
    window.last_rtt_ns = 251'000;
    window.last_sequence = 11;
    window.lateness_count = 10;
    window.lateness_sum_ns = 400;
    window.lateness_max_ns = 90;
    window.tcp_ack_count = 2;
    window.tcp_ack_sum_ns = 30;
    window.tcp_ack_min_ns = 10;
    window.tcp_ack_max_ns = 20;
    window.objective_ratio = 0.99;
    window.objective_rtt_ns = 200'000;
    window.objective_count = 10;
    window.objective_good = 9;
    window.value_sum = 5;
    window.value_min = -1.5;
    window.value_max = 2.5;
    window.value_last = 0.25;
    window.value_last_ns = window.begin_ns + 6;
    window.buckets = window_buckets.data();
    window.bucket_count = static_cast<std::uint32_t>(window_buckets.size());
    return window;
}

}  // namespace latmon::test
