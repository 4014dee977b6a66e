// SPDX-License-Identifier: Apache-2.0
//
// The address of a name, asked once and waited for: for commands that a person runs and watches.
// The daemon has its Resolver, which never keeps anybody waiting. [main-thread]
#pragma once

#include "base/address.hpp"
#include "base/error.hpp"
#include "daemon/ping_options.hpp"

#include <string>

namespace latmon {

// The first address of `host`, a name or a literal, that can be probed; port 0. The error says why
// there is none, and carries ExitCode::usage.
[[nodiscard]] Result<Endpoint> resolve_host(const std::string& host, AddressFamily family);

}  // namespace latmon
