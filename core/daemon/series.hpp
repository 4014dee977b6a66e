// SPDX-License-Identifier: Apache-2.0
//
// The table of series of a plan: probes by their index, then the two reflectors, then the node's
// counters. Pure. [main-thread]
#pragma once

#include "config/plan.hpp"
#include "sample/series.hpp"

namespace latmon {

// Index = series id, as core.hpp lays them out.
[[nodiscard]] SeriesTable make_series(const Plan& plan);

}  // namespace latmon
