// SPDX-License-Identifier: Apache-2.0
//
// From what a user asked `latmon ping` for to the plan that a Core runs: one probe on one core, no
// listeners, no exporters. Pure, but for the plan's own reading of interface names. [main-thread]
#pragma once

#include "base/address.hpp"
#include "base/error.hpp"
#include "base/host_port.hpp"
#include "config/plan.hpp"
#include "daemon/ping_options.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace latmon {

// split_host_port(), with an error that says what to write instead.
[[nodiscard]] Result<HostAndPort> split_host(std::string_view text);

// What does not go together in the options, with the cure; "" if everything does.
[[nodiscard]] std::string fault_of(const PingOptions& options);

// The plan of one probe to `target` (with its port) on the CPU `cpu`. Slot 0 is at the origin.
// Errors carry ExitCode::usage.
[[nodiscard]] Result<Plan> make_ping_plan(const PingOptions& options, const Endpoint& target,
                                          std::uint32_t cpu);

}  // namespace latmon
