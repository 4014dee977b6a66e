// SPDX-License-Identifier: Apache-2.0
//
// Proves by a packet what each interface in use does about time stamps: sends one well-formed STAMP
// packet to the first UDP target behind it and looks whether the kernel stamps it, and the reply.
// Loopback, which needs nobody else, is proved always. Plain sockets and poll(2), all interfaces at
// once; nothing of it stays open. [main-thread]
#pragma once

#include "base/address.hpp"
#include "config/plan.hpp"
#include "daemon/stamp_verdict.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace latmon {

// How long a proof takes at most: a stamp of what was sent comes within 50 ms or not at all, and a
// reply is waited for so long.
inline constexpr Duration stamp_proof_max = Duration::from_ms(200);

// The interface by which packets of this probe leave for `target`, by the kernel's routes as of
// now; "lo" for this host's own addresses, "" if there is no way.
[[nodiscard]] std::string interface_towards(const ProbePlan& probe, const Endpoint& target);

// The same for each of many probes, by their known addresses; "" for those known by name alone.
[[nodiscard]] std::vector<std::string> interfaces_towards(std::span<const ProbePlan> probes);

// Fills in what the card of verdict.interface says of itself. [main-thread]
void ask_hardware(StampVerdict& verdict);

// One verdict per interface that a probe with a known address uses, "lo" first. Takes
// stamp_proof_max at most, less if everybody answers. Targets that are known by name alone are left
// out: fill in their ProbePlan::address first.
[[nodiscard]] std::vector<StampVerdict> prove_stamps(const Plan& plan);

}  // namespace latmon
