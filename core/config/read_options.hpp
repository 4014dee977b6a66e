// SPDX-License-Identifier: Apache-2.0
//
// An exporter's keys that are not latmon's own become options, which only the plugin understands;
// here it is only seen to that they are of a kind that a plugin can be given. [main-thread]
#pragma once

#include "config/config.hpp"
#include "config/mistakes.hpp"
#include "config/toml_tree.hpp"

#include <span>
#include <string_view>

namespace latmon {

// Appends every key of `table` that is not in `own_keys` to the exporter's options, in the file's
// order. One that looks like a misspelt key of latmon's is an option all the same, with a warning.
void read_options(const TomlTable& table, std::span<const std::string_view> own_keys,
                  ExporterConfig& exporter, Mistakes& mistakes);

}  // namespace latmon
