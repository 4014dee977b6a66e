// SPDX-License-Identifier: Apache-2.0
//
// What each of latmon's own counters and gauges is, in one line, as Prometheus' formats show it
// beside the name. Shared by every plugin that speaks to Prometheus. Pure; any thread.
#pragma once

#include <string_view>

namespace latmon::plugins {

// Of NodeMetric::name. Never empty: what is not known is a counter or a gauge of a plugin's own.
[[nodiscard]] std::string_view node_help(std::string_view name) noexcept;

}  // namespace latmon::plugins
