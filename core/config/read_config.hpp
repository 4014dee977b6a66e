// SPDX-License-Identifier: Apache-2.0
//
// From a file's tables to a Config: the node's own keys, then exporters, then targets, because the
// shape of the exporters decides how large a target's probes are. [main-thread]
#pragma once

#include "config/config.hpp"
#include "config/mistakes.hpp"
#include "config/parse.hpp"
#include "config/toml_tree.hpp"

#include <string>

namespace latmon {

// Every mistake goes to `mistakes`; the result is of use only if there are none.
[[nodiscard]] Config read_config(const TomlTable& table, const std::string& file,
                                 const ConfigOverrides& overrides, Mistakes& mistakes);

}  // namespace latmon
