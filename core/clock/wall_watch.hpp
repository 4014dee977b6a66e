// SPDX-License-Identifier: Apache-2.0
//
// Notices what the wall clock does that a clock should not. CLOCK_REALTIME and CLOCK_MONOTONIC_RAW
// run side by side; NTP may bend the former by at most 500 ppm (adjtimex(2)), so a change of their
// difference beyond that within one turn of the loop is a step, or a suspend, during which RAW
// stands still. RTTs do not care, they are made of RAW; what compares wall-clock stamps does, and
// is marked. Peers that compare our stamps over time are told by way of epoch(). Owned by one
// thread.
#pragma once

#include "base/time.hpp"

namespace latmon {

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

    // Suspends of the host seen since construction. [core-thread]
    [[nodiscard]] std::uint64_t suspends() const noexcept { return suspends_; }

    // Changes when whoever tracks our wall clock must start again: by one at a step, at a suspend,
    // and for every second in which the clock was bent by more than 50 ppm against its usual rate.
    // Wraps. A rate within 100 ppm that lasts for a minute becomes the usual one: it is the
    // crystal's, not a slew's. [core-thread]
    [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }

private:
    void note_jump(Duration jump, std::int64_t allowed_ns) noexcept;
    void watch_rate() noexcept;
    void judge_rate(std::int64_t rate_ppb, std::int64_t noise_ppb) noexcept;

    const Clock& clock_;
    ClockPair pair_;  // Of the last look.
    Duration suspended_;
    bool has_jumped_ = false;
    RawInstant jumped_at_;
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
