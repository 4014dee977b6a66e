// SPDX-License-Identifier: Apache-2.0
//
// What a series id stands for, as plain values. The main-thread gives them to a SeriesRegistry; a
// core-thread knows only ids, a plugin sees latmon_series_t.
#pragma once

#include "base/time.hpp"

#include <latmon/host.h>

#include <cstdint>
#include <string>
#include <vector>

namespace latmon {

struct Series {
    latmon_kind_t kind = LATMON_KIND_EXCHANGE;
    latmon_protocol_t protocol = LATMON_PROTOCOL_NONE;
    std::string name;    // Of a node counter; else "".
    std::string source;  // This node's name.
    std::string target;  // Label, or host.
    std::string host;
    std::vector<std::string> tags;
    std::uint16_t port = 0;
    Duration interval;
    Duration timeout;
    std::uint32_t flags = 0;     // LATMON_SERIES_...
    double objective_ratio = 0;  // 0: none.
    Duration objective_rtt{};
};

// A fixed set of them: index = series id.
using SeriesTable = std::vector<Series>;

}  // namespace latmon
