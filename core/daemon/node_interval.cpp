// SPDX-License-Identifier: Apache-2.0
//
// See node_interval.hpp.
#include "daemon/node_interval.hpp"

#include <cmath>

namespace latmon {
namespace {

// In doubles: a millionfold of nanoseconds does not fit 64 bits beyond some hours.
std::optional<std::int64_t> ratio(double part, double whole, double scale) noexcept {
    if (!(whole > 0)) return std::nullopt;
    return std::llround(part / whole * scale);
}

}  // namespace

IntervalFigures figures_between(const CoreMoment& before, const CoreMoment& after,
                                const LogHistogram& lateness, const LogHistogram& dwell) noexcept {
    const auto cpu_ns = static_cast<double>((after.cpu - before.cpu).ns);
    const auto passed_ns = static_cast<double>((after.at - before.at).ns);
    const auto packets = static_cast<double>(after.packets - before.packets);
    const auto calls = static_cast<double>(after.ring_calls - before.ring_calls);
    const auto answered = static_cast<double>(after.answered - before.answered);
    const auto stamped_tx = static_cast<double>(after.stamped_tx - before.stamped_tx);
    const auto stamped_rx = static_cast<double>(after.stamped_rx - before.stamped_rx);
    return {.lateness_ns_p50 = lateness.percentile_ns(500),
            .lateness_ns_p99 = lateness.percentile_ns(990),
            .lateness_ns_max = lateness.max_ns(),
            .dwell_ns_p50 = dwell.percentile_ns(500),
            .dwell_ns_p99 = dwell.percentile_ns(990),
            .cpu_ppm = ratio(cpu_ns, passed_ns, 1e6),
            .cpu_ns_per_packet = ratio(cpu_ns, packets, 1),
            .ring_calls_per_1000_packets = ratio(calls, packets, 1'000),
            .stamped_tx_ppm = ratio(stamped_tx, answered, 1e6),
            .stamped_rx_ppm = ratio(stamped_rx, answered, 1e6)};
}

}  // namespace latmon
