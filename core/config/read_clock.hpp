// SPDX-License-Identifier: Apache-2.0
//
// The [clock] table: whose word about clocks is believed, and how far they may run apart.
// [main-thread]
#pragma once

#include "config/config.hpp"
#include "config/table_reader.hpp"

namespace latmon {

[[nodiscard]] ClockConfig read_clock(const TableReader& top);

}  // namespace latmon
