// SPDX-License-Identifier: Apache-2.0
//
// What a running latmon cannot take over from another configuration: everything but targets,
// exporters, whom the reflector answers, and the log. It says so, rather than go on as if it had.
// Pure. [main-thread]
#pragma once

#include "config/config.hpp"

#include <string>

namespace latmon {

// One line per key that differs and needs a restart, `file:line:column: what, and what to do`; ""
// if there is none. Of a key that is not in the file any more there is no position.
[[nodiscard]] std::string restart_needed(const Config& running, const Config& wanted);

}  // namespace latmon
