// SPDX-License-Identifier: Apache-2.0
//
// What a core-thread says of itself for the time since it last did: how late its probes left, what
// a probe cost, and how many were stamped by better than user space. A counter since the start
// answers none of these without a second reading. Pure arithmetic.
#pragma once

#include "base/log_histogram.hpp"
#include "base/time.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace latmon {

// Counters of a core since its start, all read at one moment.
struct CoreMoment {
    Instant at{};
    Duration cpu{};                // Of the core-thread.
    std::uint64_t packets = 0;     // Probes sent, and requests that its reflectors received.
    std::uint64_t ring_calls = 0;  // RingCounters: submissions and waits.
    std::uint64_t answered = 0;    // Exchanges that were answered;
    std::uint64_t stamped_tx = 0;  // of these: T1 by the kernel or the card,
    std::uint64_t stamped_rx = 0;  // T4.
};

// A figure without a value has none: nothing was due, sent or answered meanwhile.
struct IntervalFigures {
    std::optional<std::int64_t> lateness_ns_p50;
    std::optional<std::int64_t> lateness_ns_p99;
    std::optional<std::int64_t> lateness_ns_max;
    std::optional<std::int64_t> dwell_ns_p50;
    std::optional<std::int64_t> dwell_ns_p99;
    std::optional<std::int64_t> cpu_ppm;  // Of one CPU.
    std::optional<std::int64_t> cpu_ns_per_packet;
    std::optional<std::int64_t> ring_calls_per_1000_packets;
    std::optional<std::int64_t> stamped_tx_ppm;
    std::optional<std::int64_t> stamped_rx_ppm;
};

struct IntervalFigureName {
    const char* name;
    std::optional<std::int64_t> IntervalFigures::*figure;
};

// By the name of its series.
inline constexpr std::array interval_figure_names{
    IntervalFigureName{"interval_lateness_ns_p50", &IntervalFigures::lateness_ns_p50},
    IntervalFigureName{"interval_lateness_ns_p99", &IntervalFigures::lateness_ns_p99},
    IntervalFigureName{"interval_lateness_ns_max", &IntervalFigures::lateness_ns_max},
    IntervalFigureName{"interval_dwell_ns_p50", &IntervalFigures::dwell_ns_p50},
    IntervalFigureName{"interval_dwell_ns_p99", &IntervalFigures::dwell_ns_p99},
    IntervalFigureName{"interval_cpu_ppm", &IntervalFigures::cpu_ppm},
    IntervalFigureName{"interval_cpu_ns_per_packet", &IntervalFigures::cpu_ns_per_packet},
    IntervalFigureName{"interval_ring_calls_per_1000_packets",
                       &IntervalFigures::ring_calls_per_1000_packets},
    IntervalFigureName{"interval_stamped_tx_ppm", &IntervalFigures::stamped_tx_ppm},
    IntervalFigureName{"interval_stamped_rx_ppm", &IntervalFigures::stamped_rx_ppm},
};

// `lateness`: of what fired between the two; `dwell`: CoreContext::dwell of what was answered.
// `after` is not before `before`.
[[nodiscard]] IntervalFigures figures_between(const CoreMoment& before, const CoreMoment& after,
                                              const LogHistogram& lateness,
                                              const LogHistogram& dwell) noexcept;

}  // namespace latmon
