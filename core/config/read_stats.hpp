// SPDX-License-Identifier: Apache-2.0
//
// The [stats] table: how samples become windows, and what of them counts. Whether anybody takes
// windows is not said here. [main-thread]
#pragma once

#include "config/config.hpp"
#include "config/table_reader.hpp"

namespace latmon {

[[nodiscard]] StatsConfig read_stats(const TableReader& top);

}  // namespace latmon
