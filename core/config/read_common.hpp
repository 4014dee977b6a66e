// SPDX-License-Identifier: Apache-2.0
//
// The keys that the top level and a [[targets]] table have in common, and how a target comes by the
// values that it does not give itself. [main-thread]
#pragma once

#include "config/config.hpp"
#include "config/parse.hpp"
#include "config/table_reader.hpp"

#include <string_view>

namespace latmon {

// What a target has that says nothing but its host: the top-level values, under the command line's.
// `is_compatible`: the file has the ancestor's shape, whose probes are padded to max_size.
[[nodiscard]] TargetConfig read_inherited(const TableReader& top, const ConfigOverrides& overrides,
                                          bool is_compatible);

// Replaces in `target` what the table gives itself, but for its size.
void read_common(const TableReader& reader, TargetConfig& target);

// Reads a probe's size in octets. One that the target's probe cannot have, be it of this table or
// inherited, is brought to the nearest that it can, with a warning; 0 is left to the plan. After
// read_common(): the protocol decides what fits.
void read_size(const TableReader& reader, std::string_view key, TargetConfig& target);

// Where the value of `key` was written for this target; the table's own place if it was inherited.
[[nodiscard]] SourcePosition place_of(const TableReader& reader, std::string_view key);

}  // namespace latmon
