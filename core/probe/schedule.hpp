// SPDX-License-Identifier: Apache-2.0
//
// When a probe is due: slot n is at origin + phase + n * interval, for ever (invariant 2). Nothing
// is scheduled relative to "now", so that the schedule cannot drift, and slots that a stall made us
// miss are counted and skipped, not fired in a burst. Pure arithmetic; owned by one probe.
#pragma once

#include "base/assert.hpp"
#include "base/time.hpp"

#include <cstdint>

namespace latmon {

class Schedule {
public:
    // `first` is slot 0: the common origin plus the probe's own phase.
    Schedule(Instant first, Duration interval) noexcept : next_(first), interval_(interval) {
        LATMON_ASSERT(interval.ns > 0);
    }

    // The deadline of the next slot.
    [[nodiscard]] Instant next() const noexcept { return next_; }

    // Called when the slot at next() fires, at `now` >= next(): moves on to the first slot that is
    // still to come and returns how many whole slots lie between, which is how many were missed.
    [[nodiscard]] std::uint64_t advance(Instant now) noexcept {
        LATMON_ASSERT(now >= next_);
        const std::int64_t missed = (now - next_) / interval_;
        next_ = next_ + interval_ * (missed + 1);
        LATMON_ASSERT(next_ > now);
        return static_cast<std::uint64_t>(missed);
    }

private:
    Instant next_;
    Duration interval_;
};

}  // namespace latmon
