// SPDX-License-Identifier: Apache-2.0
//
// What both ends' reports say of the simulated network, under the same keys. Main thread only; it
// does not count what that network did.
#pragma once

#include "loadgen/link_direction.hpp"
#include "loadgen/report.hpp"

#include <optional>

namespace latmon::loadgen {

// What was asked of one way, but for loss and delay, which have a name for each way.
inline void describe_way(const DirectionOptions& way, Report& report) {
    report.add("loss_burst_packets", way.loss_burst);
    report.add("jitter_ns", std::optional(way.jitter));
    report.add("jitter_shape", to_text(way.jitter_shape));
    report.add("reorder_percent", way.reorder_percent);
    report.add("reorder_by_ns", std::optional(way.reorder_by));
    report.add("duplicate_percent", way.duplicate_percent);
}

}  // namespace latmon::loadgen
