// SPDX-License-Identifier: Apache-2.0
//
// Who gets the samples: [[exporters]] tables, or the ancestor's [metrics], or neither, which means
// the ancestor's default. [main-thread]
#pragma once

#include "config/config.hpp"
#include "config/parse.hpp"
#include "config/table_reader.hpp"

#include <vector>

namespace latmon {

// At least one exporter, unless there was a mistake. The first one's `is_compatible` tells the
// shape of the file.
[[nodiscard]] std::vector<ExporterConfig> read_exporters(const TableReader& top,
                                                         const ConfigOverrides& overrides);

}  // namespace latmon
