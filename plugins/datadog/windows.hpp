// SPDX-License-Identifier: Apache-2.0
//
// The new shape: what each interval was like, per path: counts of probes, and of the times either a
// few statistics as gauges, or all of them for a distribution, of which Datadog makes percentiles
// over any set of paths. Metrics: docs/exporters/datadog.md. On the exporter-thread.
#pragma once

#include "support/histogram.hpp"

#include <latmon/latmon.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace latmon::plugins::datadog {

struct WindowOptions {
    std::int64_t interval_s = 10;
    bool has_distributions = false;
    bool has_nodes = false;  // latmon's own counters too.
};

class Windows {
public:
    // `take_points` gets the rows for the series' address, `take_values` those for distributions.
    using Take = std::function<void(std::string_view row)>;
    Windows(const latmon_host_t* host, const WindowOptions& options, Take take_points,
            Take take_values);

    void add(const latmon_sample_t& sample);

    // Gives away the intervals that ended more than a second before `now_ns`, CLOCK_REALTIME. What
    // comes for one of them afterwards counts in the next. When the clock stepped back, all.
    void close(std::int64_t now_ns);
    void close_all();

private:
    static constexpr std::size_t status_count = LATMON_STATUS_LOST_LOCAL_RX + 1;

    struct Times {
        std::uint64_t count = 0;
        std::int64_t min_ns = 0;
        double sum_ns = 0;
        Histogram histogram;                  // Without distributions.
        std::vector<std::int64_t> values_ns;  // With them.
    };
    struct Path {
        const latmon_series_t* series = nullptr;
        std::array<std::uint64_t, status_count> statuses{};
        Times times;
        std::array<std::array<Times, 2>, 2> delays;  // Forward, reverse; bounded, estimated.
    };
    struct Window {
        std::map<std::uint32_t, Path> paths;
        std::map<std::pair<std::uint32_t, std::uint16_t>, std::int64_t> nodes;  // By id and core.
    };
    struct Where {
        std::string_view tags;
        std::int64_t time_s;
    };

    [[nodiscard]] Window& window_of(std::int64_t time_ns);
    void record(Times& times, std::int64_t value_ns) const;
    void give(std::int64_t index, const Window& window);
    void give_path(std::int64_t time_s, const Path& path);
    void give_counts(const Where& where, const Path& path);
    void give_times(const Where& where, const std::string& name, const Times& times);
    void give_values(const Where& where, const std::string& name, const Times& times);
    void give_nodes(std::int64_t time_s, const Window& window);
    void give_gauge(const Where& where, const std::string& name, std::int64_t value_ns);
    void give_count(const Where& where, std::string_view name, std::uint64_t count);
    [[nodiscard]] std::string tags_of(const latmon_series_t& series,
                                      std::vector<std::string> further) const;

    const latmon_host_t* host_;
    WindowOptions options_;
    Take take_points_;
    Take take_values_;
    std::map<std::int64_t, Window> windows_;  // By time / interval.
    std::int64_t open_from_ = INT64_MIN;      // Of that index and above.
    std::string row_;                         // Kept for its memory.
};

}  // namespace latmon::plugins::datadog
