// SPDX-License-Identifier: Apache-2.0
//
// A run of `latmon ping` as a value: what was asked, what was found, what it came to. What is
// printed, as text or as JSON, is made of this and of nothing else. [main-thread]
#pragma once

#include "base/address.hpp"
#include "clock/local_clock.hpp"
#include "daemon/ping_options.hpp"
#include "daemon/ping_tally.hpp"

#include <optional>
#include <vector>

namespace latmon {

struct PingReport {
    PingOptions options;
    Endpoint target;                    // What the host's name came to.
    std::uint32_t size_bytes = 0;       // Of each probe.
    LocalClock clock;                   // Of this host, at the end of the run.
    std::optional<Duration> handshake;  // Of a TCP connection of its own, before the first probe.

    PingTally tally;
    std::uint64_t sent = 0;
    std::uint64_t in_flight = 0;    // The run was ended before their time was out.
    std::uint64_t missed = 0;       // Slots that a stall of this host let pass.
    std::uint64_t invalid = 0;      // Packets that are no reply to a probe of this run.
    std::vector<Sample> exchanges;  // In the order in which they came; for JSON alone.

    // As ping(8): 0 at least one reply, 1 none.
    [[nodiscard]] int exit_code() const noexcept { return tally.answered > 0 ? 0 : 1; }
};

}  // namespace latmon
