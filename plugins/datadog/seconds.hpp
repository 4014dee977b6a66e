// SPDX-License-Identifier: Apache-2.0
//
// The ancestor's shape: a gauge in milliseconds, with its metric names and tags. Datadog keeps one
// point per second and series, the last; so nothing else is sent. On the exporter-thread.
#pragma once

#include <latmon/latmon.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace latmon::plugins::datadog {

class Seconds {
public:
    // `take` gets each row, with its newline.
    using Take = std::function<void(std::string_view row)>;
    explicit Seconds(Take take) : take_(std::move(take)) {}

    void add(const latmon_sample_t& sample, const latmon_series_t& series);

    // Gives away the points of all seconds before `now_s`: none of them will change any more.
    void close_before(std::int64_t now_s);

private:
    struct Latest {
        std::string metric;
        std::string tags;
        std::int64_t time_s = 0;
        std::int64_t value_ns = 0;
        bool is_waiting = false;
        bool is_cached = false;  // In by_id_.
    };
    void give(Latest& latest);
    Latest& latest_of(const latmon_sample_t& sample, const latmon_series_t& series,
                      std::string_view metric);

    Take take_;
    std::unordered_map<std::string, Latest> latest_;  // By metric and tags.
    std::vector<Latest*> by_id_;                      // Into latest_.
    std::string row_;                                 // Kept for its memory.
};

}  // namespace latmon::plugins::datadog
