// SPDX-License-Identifier: Apache-2.0
//
// Notices what the wall clock does that a clock should not. CLOCK_REALTIME and CLOCK_MONOTONIC_RAW
// run side by side; NTP may bend the former by at most 500 ppm (adjtimex(2)), so a change of their
// difference beyond that within one turn of the loop is a step, or a suspend, during which RAW
// stands still. RTTs do not care, they are made of RAW; what compares wall-clock stamps does, and
// is marked. Peers that compare our stamps over time are told by way of epoch(), of slips as well:
// steps of less than a millisecond. Owned by one thread.
#pragma once

#include "base/time.hpp"

#include <limits>

namespace latmon {

// How far the wall clock may move against RAW within `passed` without being set, where the readings
// are `uncertainty` uncertain: by the fastest slew of adjtimex(2), 500 ppm. [any-thread]
[[nodiscard]] constexpr Duration lawful_slew(Duration passed, Duration uncertainty) noexcept {
    return passed / 2'000 + uncertainty;
}

class WallWatch {
public:
    explicit WallWatch(const Clock& clock) noexcept;

    // Compares the clocks once; call it every turn of the loop. True if the wall clock jumped since
    // the last call: it stepped, or the host was suspended. Three clock reads, about 70 ns.
    // [core-thread]
    bool look() noexcept;

    // What look() read: maps wall stamps of now to the steady clock and back. [core-thread]
    [[nodiscard]] const ClockPair& pair() const noexcept { return pair_; }

    // Whether look() saw a jump at or after `since`. [core-thread]
    [[nodiscard]] bool stepped_since(RawInstant since) const noexcept {
        return has_jumped_ && jumped_at_ >= since;
    }

    // Steps seen since construction, without the jumps that a suspend explains. [core-thread]
    [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }

    // Whether a stamp that the kernel took of the wall clock, and that is read now, after look(),
    // may be from before what last changed epoch(): it then says nothing about the time since. All
    // such are read within limits::stale_stamps_ns after look() saw the change. [core-thread]
    [[nodiscard]] bool may_precede_change(WallTime stamp) const noexcept {
        return stamp <= last_stamp_ && pair_.raw <= stale_until_;
    }

    // How much too fast the wall clock runs against RAW while nobody bends it, in parts in 10^9; 0
    // until it has been measured for a second. [core-thread]
    [[nodiscard]] std::int64_t usual_ppb() const noexcept { return usual_ppb_; }

    // Suspends of the host seen since construction. [core-thread]
    [[nodiscard]] std::uint64_t suspends() const noexcept { return suspends_; }

    // Changes when whoever tracks our wall clock must start again: by one at a step, a slip or a
    // suspend, and for every second in which the clock was bent by more than 50 ppm against its
    // usual rate. Wraps. A rate within 100 ppm that lasts for a minute becomes the usual one: it is
    // the crystal's, not a slew's. [core-thread]
    [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }

private:
    void note_jump(Duration jump, Duration allowed) noexcept;
    void note_change(Duration moved, Duration lawful) noexcept;
    void watch_rate() noexcept;
    [[nodiscard]] bool is_rate_unusual(std::int64_t rate_ppb, std::int64_t noise_ppb) noexcept;

    const Clock& clock_;
    ClockPair pair_;  // Of the last look.
    Duration suspended_;
    bool has_jumped_ = false;
    RawInstant jumped_at_;
    // The latest that a stamp from before the last change can show, and when all such are read.
    WallTime last_stamp_{std::numeric_limits<std::int64_t>::min()};
    RawInstant stale_until_{std::numeric_limits<std::int64_t>::min()};
    std::uint64_t steps_ = 0;
    std::uint64_t suspends_ = 0;

    ClockPair rate_from_;  // Where the measurement of the rate began that is under way.
    bool has_usual_ = false;
    std::int64_t usual_ppb_ = 0;  // Of the wall clock against RAW, less 1, in parts in 10^9.
    std::int64_t unusual_ppb_ = 0;
    std::uint32_t unusual_count_ = 0;  // Measurements in a row near `unusual_ppb_`.
    std::uint32_t epoch_ = 0;
};

}  // namespace latmon
