// SPDX-License-Identifier: Apache-2.0
//
// Notices that the wall clock jumped. CLOCK_REALTIME and CLOCK_MONOTONIC_RAW run side by side; NTP
// may bend the former by at most 500 ppm (adjtimex(2)), so a change of their difference beyond that
// within one turn of the loop is a step. RTTs do not care, they are made of RAW; what compares
// wall-clock stamps does, and is marked. Owned by one core-thread.
#pragma once

#include "base/time.hpp"

namespace latmon {

class WallWatch {
public:
    explicit WallWatch(const Clock& clock) noexcept;

    // Compares the clocks once; call it every turn of the loop. True if the wall clock stepped
    // since the last call. Two clock reads, about 50 ns. [core-thread]
    bool look() noexcept;

    // Whether look() saw a step at or after `since`. [core-thread]
    [[nodiscard]] bool stepped_since(RawInstant since) const noexcept {
        return steps_ > 0 && stepped_at_ >= since;
    }

    // Steps seen since construction. [core-thread]
    [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }

private:
    const Clock& clock_;
    RawInstant raw_;  // The pair of the last look.
    WallTime wall_;
    std::uint64_t steps_ = 0;
    RawInstant stepped_at_;
};

}  // namespace latmon
