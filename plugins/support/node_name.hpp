// SPDX-License-Identifier: Apache-2.0
//
// The name of the node that a plugin runs in, which the ABI tells in each series of its own. Series
// of peers, which come later, have another's.
#pragma once

#include <latmon/host.h>

#include <string>

namespace latmon::plugins {

// "" in a latmon without series. [main-thread, exporter-thread]
inline std::string node_name(const latmon_host_t* host) {
    const std::uint32_t count = host->series_count(host);
    for (std::uint32_t id = 0; id < count; ++id) {
        const latmon_series_t* const series = host->series(host, id);
        if (series != nullptr && (series->flags & LATMON_SERIES_PEER) == 0) return series->source;
    }
    return {};
}

}  // namespace latmon::plugins
