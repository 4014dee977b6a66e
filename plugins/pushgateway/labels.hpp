// SPDX-License-Identifier: Apache-2.0
//
// Labels as the Pushgateway's paths want them, and which of them are taken; the rest is what every
// plugin for Prometheus shares. Pure; any thread.
#pragma once

#include "support/prometheus_labels.hpp"

#include <string>
#include <string_view>

namespace latmon::plugins::pushgateway {

// Labels that the series of the new shape have of themselves, or get on their way.
inline constexpr std::string_view reserved_labels[] = {"source", "target", "proto",   "direction",
                                                       "class",  "status", "core",    "instance",
                                                       "job",    "le",     "quantile"};

// One segment of a grouping key, "/instance/host" or "/instance@base64/aG9zdC9h": the latter for a
// value that is empty or holds anything but letters, digits and "-._~".
[[nodiscard]] std::string path_segment(std::string_view name, std::string_view value);

}  // namespace latmon::plugins::pushgateway
