// SPDX-License-Identifier: Apache-2.0
//
// Claims about what a core-thread says of itself for an interval.
#include "daemon/node_interval.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

TEST_CASE("node_interval: figures are of what lies between the two readings") {
    const CoreMoment before{.at = Instant{1'000'000'000},
                            .cpu = Duration::from_ms(500),
                            .packets = 1'000,
                            .ring_calls = 5'000,
                            .answered = 900,
                            .stamped_tx = 800,
                            .stamped_rx = 0};
    const CoreMoment after{.at = Instant{11'000'000'000},
                           .cpu = Duration::from_ms(1'500),
                           .packets = 101'000,
                           .ring_calls = 155'000,
                           .answered = 100'900,
                           .stamped_tx = 75'800,
                           .stamped_rx = 100'000};
    LogHistogram lateness;
    for (const std::int64_t late_ns : {3, 5, 1'000'000})
        lateness.record(late_ns);
    LogHistogram dwell;
    for (const std::int64_t dwell_ns : {7, 9, 11})
        dwell.record(dwell_ns);
    const IntervalFigures figures = figures_between(before, after, lateness, dwell);
    CHECK(figures.cpu_ppm == 100'000);  // One second of ten.
    CHECK(figures.cpu_ns_per_packet == 10'000);
    CHECK(figures.ring_calls_per_1000_packets == 1'500);
    CHECK(figures.stamped_tx_ppm == 750'000);
    CHECK(figures.stamped_rx_ppm == 1'000'000);
    CHECK(figures.lateness_ns_p50 == 5);
    CHECK(figures.lateness_ns_max == 1'000'000);
    CHECK(figures.lateness_ns_p99 > 960'000);
    CHECK(figures.dwell_ns_p50 == 9);
    CHECK(figures.dwell_ns_p99 == 11);
}

TEST_CASE("node_interval: a figure of nothing has no value, not 0") {
    const CoreMoment before{.at = Instant{5}};
    CoreMoment after = before;
    after.at = Instant{1'000'000'005};
    const IntervalFigures idle = figures_between(before, after, {}, {});
    CHECK(idle.cpu_ppm == 0);
    CHECK_FALSE(idle.lateness_ns_p50.has_value());
    CHECK_FALSE(idle.lateness_ns_max.has_value());
    CHECK_FALSE(idle.dwell_ns_p50.has_value());
    CHECK_FALSE(idle.dwell_ns_p99.has_value());
    CHECK_FALSE(idle.cpu_ns_per_packet.has_value());
    CHECK_FALSE(idle.ring_calls_per_1000_packets.has_value());
    CHECK_FALSE(idle.stamped_tx_ppm.has_value());
    CHECK_FALSE(idle.stamped_rx_ppm.has_value());
    CHECK_FALSE(figures_between(before, before, {}, {}).cpu_ppm.has_value());
}

}  // namespace
}  // namespace latmon
