// SPDX-License-Identifier: Apache-2.0
//
// Samples as they come: each time is a line or part of one, counts and gauges are added up here and
// sent once per interval. Metrics: docs/exporters/statsd.md. On the exporter-thread.
#pragma once

#include "statsd/claims.hpp"
#include "statsd/counts.hpp"
#include "statsd/naming.hpp"
#include "statsd/writer.hpp"

#include <latmon/latmon.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace latmon::plugins::statsd {

class Paths {
public:
    struct Parts {
        const latmon_host_t* host;
        const Naming* naming;
        Claims* claims;
        Writer* writer;
    };
    // `has_nodes`: latmon's own counters too. What is pointed to outlives it.
    Paths(const Parts& parts, bool has_nodes) : parts_(parts), has_nodes_(has_nodes) {}

    void add(const latmon_sample_t& sample);

    // Sends what was added up. `now_s`: since 1970.
    void write_counts(std::int64_t now_s);

    // The series is over.
    void remove(std::uint32_t series_id, std::int64_t now_s);

    // Samples that were left out, because another series has the name of theirs.
    [[nodiscard]] std::uint64_t unnamed() const noexcept { return unnamed_; }

private:
    // Of an exchange: round trip, then by direction and class. Others have the first, or the second
    // pair.
    static constexpr std::size_t timer_count = 5;

    struct Path {
        const latmon_series_t* series = nullptr;
        bool is_unnamed = false;
        bool is_touched = false;  // Has something to send.
        Tally tally;
        std::int64_t grown = 0;          // KIND_COUNTER
        std::optional<double> quantity;  // KIND_GAUGE
        std::array<Timer, timer_count> timers;
    };
    struct Reading {
        std::int64_t value = 0;
        bool is_new = false;
    };

    [[nodiscard]] Path* path_of(const latmon_sample_t& sample);
    void add_times(Path& path, const latmon_sample_t& sample);
    void add_delay(Path& path, std::size_t direction, const latmon_sample_t& sample);
    void time(Path& path, std::size_t place, std::int64_t value_ns);
    void write_path(Path& path, std::int64_t now_s);
    void write_count(const Path& path, const Count& count, std::int64_t now_s);
    void write_nodes(std::int64_t now_s);

    Parts parts_;
    bool has_nodes_;
    std::map<std::uint32_t, Path> paths_;  // By series id; timers stay where they are.
    std::map<std::pair<std::uint32_t, std::uint16_t>, Reading> nodes_;  // By id and core.
    std::uint64_t unnamed_ = 0;
};

}  // namespace latmon::plugins::statsd
