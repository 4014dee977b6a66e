// SPDX-License-Identifier: Apache-2.0
//
// Which series there are, as the registry wants to know them: of each probe, with the readings of
// its path's clock behind it, of the two reflectors, of the node's counters, of interfaces and of
// exporters' queues. Pure but for the registry. [main-thread]
#pragma once

#include "config/plan.hpp"
#include "daemon/core.hpp"
#include "sample/series_registry.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

// What is told of an interface: probes and replies over it that the kernel stamped.
inline constexpr std::array<std::string_view, 2> interface_series_names{"stamped_tx_total",
                                                                        "stamped_rx_total"};

// How the last reload went, in the order of ReloadFigures.
inline constexpr std::array<std::string_view, 4> reload_series_names{
    "config_last_reload_successful", "config_last_reload_success_timestamp_seconds",
    "config_reloads_total", "config_reloads_failed_total"};

// The series of a probe of this target on the node `node_name`, and behind it those of
// clock_series.hpp if `has_clock` and the probe reads a clock. Hidden until they begin.
[[nodiscard]] SeriesGroup add_probe_series(SeriesRegistry& registry, const TargetConfig& target,
                                           const ProbePlan& probe, bool has_clock);

// Those of a core, the same for all cores; and that of one interface. They begin at once.
[[nodiscard]] CoreSeries add_core_series(SeriesRegistry& registry);
[[nodiscard]] std::uint32_t add_interface_series(SeriesRegistry& registry,
                                                 const std::string& interface);

// Figures of the node as a whole, which begin at once; the first of them.
[[nodiscard]] std::uint32_t add_figure_series(SeriesRegistry& registry,
                                              std::span<const std::string_view> names);

// Those of queue_counter_names. Hidden until they begin.
[[nodiscard]] SeriesGroup add_queue_series(SeriesRegistry& registry, const std::string& exporter);

}  // namespace latmon
