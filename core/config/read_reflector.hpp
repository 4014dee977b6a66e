// SPDX-License-Identifier: Apache-2.0
//
// The [reflector] table and its [[reflector.keys]]: whom we answer, how, and who must authenticate.
// [main-thread]
#pragma once

#include "config/config.hpp"
#include "config/table_reader.hpp"

namespace latmon {

// The file's reflector; where it says nothing, the defaults, which answer nobody on the Internet.
[[nodiscard]] ReflectorConfig read_reflector(const TableReader& top);

}  // namespace latmon
