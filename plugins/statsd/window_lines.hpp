// SPDX-License-Identifier: Apache-2.0
//
// Windows as counts and gauges: what statsd would have made of the samples, made by latmon, where
// loss has its place in percentiles. Metrics: docs/exporters/statsd.md. On the exporter-thread.
#pragma once

#include "statsd/claims.hpp"
#include "statsd/naming.hpp"
#include "statsd/writer.hpp"
#include "support/counters.hpp"

#include <latmon/latmon.h>

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace latmon::plugins::statsd {

class WindowLines {
public:
    struct Parts {
        const latmon_host_t* host;
        const Naming* naming;
        Claims* claims;
        Writer* writer;
    };
    explicit WindowLines(const Parts& parts);

    void add(const latmon_window_t& window);

    // The series is over.
    void remove(std::uint32_t series_id);

private:
    // A window and whose it is.
    struct Item {
        const latmon_window_t& window;
        const latmon_series_t& series;
        std::int64_t time_s;  // When it began, since 1970.
    };
    struct Delay {
        std::string_view name;
        std::span<const Dimension> dimensions;
    };

    [[nodiscard]] const latmon_series_t* series_of(std::uint32_t series_id);
    void write_probes(const Item& item);
    void write_round_trips(const Item& item);
    void write_objective(const Item& item);
    void write_delays(const Item& item);
    void write_extremes(const Item& item, const latmon_distribution_t& times, const Delay& delay);
    void write_rank(const Item& item, const latmon_distribution_t& times, const Delay& delay);
    void write_changes(const Item& item, const latmon_variation_t& changes, const Delay& delay);
    void write_count(const Item& item, std::string_view name, std::uint64_t value);
    void write_time(const Item& item, const Metric& metric, std::int64_t value_ns);
    void write_ratio(const Item& item, std::string_view name, double value);

    Parts parts_;
    const latmon_window_tools_t* tools_;
    std::map<std::uint32_t, const latmon_series_t*> series_;  // NULL: its name is another's.
    Counter unnamed_;  // Windows left out, because another series has the name of theirs.
};

}  // namespace latmon::plugins::statsd
