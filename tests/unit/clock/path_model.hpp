// SPDX-License-Identifier: Apache-2.0
//
// A path whose truth the test knows: both clocks, and how long each packet takes. It makes the
// stamps that such an exchange has; it judges nothing.
#pragma once

#include "base/time.hpp"
#include "clock/path_clock.hpp"

namespace latmon {

struct PathModel {
    RawInstant now{5'000'000'000'000};  // When the next reply is received.
    Duration wall_minus_raw{1'768'219'134'000'000'000};
    Duration peer_minus_raw = wall_minus_raw;
    std::int64_t skew_ppb = 0;  // How fast the peer's clock runs against RAW.
    Duration turnaround = Duration::from_us(5);

    [[nodiscard]] Duration theta() const noexcept { return peer_minus_raw - wall_minus_raw; }

    // An exchange with these one-way delays, received at `now`.
    [[nodiscard]] PathStamps exchange(Duration forward, Duration reverse) const noexcept {
        const WallTime t4{now.ns + wall_minus_raw.ns};
        const WallTime t3 = t4 - reverse + theta();
        return {.t1 = t4 - reverse - turnaround - forward,
                .t2 = t3 - turnaround,
                .t3 = t3,
                .t4 = t4,
                .at = now,
                .wall_minus_raw = wall_minus_raw,
                .uncertainty = {}};
    }

    // Time passes; the peer's clock drifts.
    void pass(Duration time) noexcept {
        now = now + time;
        peer_minus_raw = peer_minus_raw + Duration{time.ns / 1'000 * skew_ppb / 1'000'000};
    }
};

}  // namespace latmon
