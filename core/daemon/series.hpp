// SPDX-License-Identifier: Apache-2.0
//
// The table of series of a plan: probes by their index, then the two reflectors, the readings of
// the paths' clocks, the node's counters, and the stamps taken on each interface. Series that come
// later have their ids behind these: see exporter/late_series.hpp. Pure.
// [main-thread]
#pragma once

#include "config/plan.hpp"
#include "sample/series.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace latmon {

// What is told of an interface: probes and replies over it that the kernel stamped.
inline constexpr std::array<std::string_view, 2> interface_series_names{"stamped_tx_total",
                                                                        "stamped_rx_total"};

// Index = series id, as core.hpp lays them out.
[[nodiscard]] SeriesTable make_series(const Plan& plan,
                                      std::span<const std::string> interfaces = {});

}  // namespace latmon
