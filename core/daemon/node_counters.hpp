// SPDX-License-Identifier: Apache-2.0
//
// latmon's own counters as samples of the node itself: every node_interval each core-thread emits
// one sample per counter below, about itself (`core` in the sample says which). The names are
// series; the order here is the order of their ids. Those of exporters come and go with these;
// counters that plugins have of their own are not among them: see exporter/plugin_counters.hpp.
#pragma once

#include "sample/sample_queue.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

class Core;
class ProbeTotals;
struct IntervalFigures;

struct NodeReading {
    const Core& core;
    const ProbeTotals& probes;        // Summed to the last of them.
    const IntervalFigures& interval;  // Since the last reading.
};

// How many counters a core has beside those of its exporters. [any-thread]
[[nodiscard]] std::uint32_t node_counter_count() noexcept;

// The value of counter `index` < node_counter_count(); nothing if it has none now. [core-thread]
[[nodiscard]] std::optional<std::int64_t> read_node_counter(const NodeReading& reading,
                                                            std::uint32_t index) noexcept;

// The name of each, in order. [main-thread]
[[nodiscard]] std::vector<std::string> node_counter_names();

// What is told of each exporter, with the exporter's name as the series' target.
struct QueueCounterName {
    std::string_view name;
    PublishedCounter SampleQueue::*counter;
};
inline constexpr std::array queue_counter_names{
    QueueCounterName{"exporter_made_samples_total", &SampleQueue::made},
    QueueCounterName{"exporter_exported_samples_total", &SampleQueue::exported},
    QueueCounterName{"exporter_rejected_samples_total", &SampleQueue::rejected},
    QueueCounterName{"exporter_dropped_samples_total", &SampleQueue::dropped},
};

}  // namespace latmon
