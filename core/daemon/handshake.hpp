// SPDX-License-Identifier: Apache-2.0
//
// One TCP handshake, timed and thrown away, on a thread that may wait: for commands and pages that
// somebody watches. The daemon's own are ConnectProbe's, which waits for nothing.
#pragma once

#include "base/time.hpp"
#include "config/plan.hpp"

#include <optional>

namespace latmon {

struct Handshake {
    std::optional<Duration> duration;  // From connect(2) to its end; nothing: it did not succeed.
    // Why not, as an errno value: ETIMEDOUT if nothing came within the probe's timeout.
    int error = 0;
    bool has_left = false;  // A SYN left this host, as far as the kernel says.
};

// To the address of `probe`, which has one. The connection is reset at once, so that nothing of it
// stays. [any-thread but core-threads]
[[nodiscard]] Handshake time_handshake(const ProbePlan& probe, const Clock& clock);

}  // namespace latmon
