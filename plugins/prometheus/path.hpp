// SPDX-License-Identifier: Apache-2.0
//
// Everything that is told of one series: what its windows add up to since it is there, and what its
// last ones said. One thread at a time.
#pragma once

#include "prometheus/distribution.hpp"
#include "prometheus/labelling.hpp"
#include "prometheus/writer.hpp"

#include <latmon/latmon.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace latmon::plugins::prometheus {

// How much a delay changes from probe to probe.
struct Variation {
    std::uint64_t count = 0;
    TimeSum abs_sum;
    std::int64_t smoothed_ns = 0;  // Means something only if count is not 0.
};

// A sum and how many there are in it.
struct Total {
    std::uint64_t count = 0;
    TimeSum sum;
};

// The target's objective, as its windows have it.
struct Objective {
    double ratio = 0;
    std::int64_t rtt_ns = 0;
    std::uint64_t count = 0;
    std::uint64_t good = 0;
    std::optional<bool> was_kept;  // In the last minute; none: nothing was judged in it.
};

// What the last window of a minute said.
struct Minute {
    std::uint64_t loss_burst_max = 0;
    std::uint64_t judged = 0;  // Round trips and losses that its percentiles are over.
    std::uint32_t percentile_valid = 0;
    std::array<std::int64_t, LATMON_PERCENTILES> percentile_ns{};
};

inline constexpr std::size_t directions = 3;  // Round trip, forward, reverse.

struct Path {
    std::uint32_t series_id = 0;
    std::uint8_t kind = 0;
    bool has_rtt = true;
    std::string name;  // Of an application's series; else "".
    SharedLabels labels;
    std::int64_t created_ns = 0;  // CLOCK_REALTIME

    std::uint64_t samples = 0;
    std::array<std::uint64_t, LATMON_WINDOW_STATUSES> statuses{};
    std::uint64_t answered = 0;
    std::uint64_t tainted = 0;
    std::uint64_t left_out = 0;
    std::uint64_t loss_bursts = 0;
    std::array<std::uint64_t, LATMON_WINDOW_OWD_CLASSES> owd_classes{};
    std::array<Distribution, directions> times;
    std::array<Variation, directions> variations;
    Total lateness;
    Total tcp_ack;
    std::vector<Exemplar> exemplars;  // Of round trips, ascending by place.
    std::optional<Objective> objective;
    std::optional<Minute> minute;
    std::optional<bool> is_up;  // None: it is not known yet.

    std::int64_t value_sum = 0;        // KIND_COUNTER
    std::optional<double> value_last;  // KIND_GAUGE

    // The window that was added last; see Store.
    std::int64_t added_end_ns = 0;
    std::int64_t added_length_ns = 0;

    // Adds a window up. Each sample must come in one window alone.
    void add(const latmon_window_t& window, const Shape& shape);
    // Takes what the last minute said; adds nothing up.
    void take_minute(const latmon_window_t& window);

private:
    void add_exemplar(const latmon_window_t& window, const Bounds& bounds);
    void judge_up(const latmon_window_t& window);
};

}  // namespace latmon::plugins::prometheus
