// SPDX-License-Identifier: Apache-2.0
//
// The [[targets]] tables: what they inherit, what they say themselves, and whether two of them
// could be told apart in a metric. [main-thread]
#pragma once

#include "config/config.hpp"
#include "config/table_reader.hpp"

#include <vector>

namespace latmon {

// Every [[targets]] table of the file, in its order, and behind them the targets of the files that
// [[target_files]] names. `config` gives the protocols that are on, and gets both.
void read_targets(const TableReader& top, const TargetConfig& inherited, Config& config);

// Where it is written makes no difference.
[[nodiscard]] bool is_same_target(const TargetConfig& a, const TargetConfig& b);

}  // namespace latmon
