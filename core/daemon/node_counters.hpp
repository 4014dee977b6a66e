// SPDX-License-Identifier: Apache-2.0
//
// latmon's own counters as samples of the node itself: every node_interval each core-thread emits
// one sample per counter below, about itself (`core` in the sample says which). The names are
// series; the order here is the order of their ids. Counters that plugins have of their own are not
// among them: see exporter/plugin_counters.hpp.
#pragma once

#include "sample/sample_queue.hpp"
#include "sample/series.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace latmon {

class Core;
class ProbeTotals;
struct IntervalFigures;

struct NodeReading {
    const Core& core;
    const std::vector<SampleQueue*>& queues;  // One per exporter.
    const ProbeTotals& probes;                // Summed to the last of them.
    const IntervalFigures& interval;          // Since the last reading.
};

// How many counters a core has with this many exporters. [any-thread]
[[nodiscard]] std::uint32_t node_counter_count(std::size_t exporter_count) noexcept;

// The value of counter `index` < node_counter_count(); nothing if it has none now. [core-thread]
[[nodiscard]] std::optional<std::int64_t> read_node_counter(const NodeReading& reading,
                                                            std::uint32_t index) noexcept;

// Appends one series per counter, in order, to `series`. [main-thread]
void append_node_series(SeriesTable& series, const std::string& node_name,
                        const std::vector<std::string>& exporter_names);

}  // namespace latmon
