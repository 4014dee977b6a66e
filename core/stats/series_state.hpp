// SPDX-License-Identifier: Apache-2.0
//
// What one series remembers from window to window: which exchanges came next to each other in the
// order of sending, so that a change from probe to probe (RFC 3393 section 4.2, RFC 3550 section
// 6.4.1) and a run of losses are found also where they straddle the end of a window. What it finds
// depends on the samples alone, not on where windows end, so that windows may be merged. One
// thread.
#pragma once

#include "sample/sample.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace latmon {

// Samples that were made amiss by us, for round trips: window.h, `tainted`.
[[nodiscard]] constexpr bool is_tainted(const Sample& sample) noexcept {
    return (sample.blame & ~LATMON_BLAME_CLOCK_UNSYNCED) != 0;
}
[[nodiscard]] constexpr bool is_answered(std::uint8_t status) noexcept {
    return status == LATMON_STATUS_OK || status == LATMON_STATUS_REORDERED;
}
// By the network or by the far end.
[[nodiscard]] constexpr bool is_lost(std::uint8_t status) noexcept {
    return status == LATMON_STATUS_LOST || status == LATMON_STATUS_LOST_FORWARD ||
           status == LATMON_STATUS_LOST_REVERSE || status == LATMON_STATUS_UNREACHABLE;
}
// By this host.
[[nodiscard]] constexpr bool is_lost_local(std::uint8_t status) noexcept {
    return status == LATMON_STATUS_LOCAL_ERROR || status == LATMON_STATUS_LOST_LOCAL_TX ||
           status == LATMON_STATUS_LOST_LOCAL_RX;
}
// News of a probe whose fate was told before: no probe of its own.
[[nodiscard]] constexpr bool is_afterthought(std::uint8_t status) noexcept {
    return status == LATMON_STATUS_LATE || status == LATMON_STATUS_DUPLICATE;
}

// From one probe to the next, of up to two pairs: with the one before, and with the one after, if
// that was answered first.
class Changes {
public:
    void add(std::int64_t change_ns) noexcept { changes_ns_[count_++] = change_ns; }
    [[nodiscard]] std::span<const std::int64_t> all() const noexcept {
        return std::span(changes_ns_).first(count_);
    }

private:
    std::array<std::int64_t, 2> changes_ns_{};
    std::size_t count_ = 0;
};

// What a sample says together with those before it.
struct Findings {
    Changes rtt;
    Changes owd_fwd;  // Of T2 - T1,
    Changes owd_rev;  // and of T4 - T3.
    bool is_new_run = false;
    std::uint64_t run_length = 0;  // Of losses, that this one is part of; 0: of none.
};

// RFC 3550 section 6.4.1, in the integers of its appendix A.8.
class SmoothedJitter {
public:
    void take(std::int64_t change_ns) noexcept;
    [[nodiscard]] std::int64_t value_ns() const noexcept { return (sixteenths_ + 8) >> 4; }

private:
    std::int64_t sixteenths_ = 0;
};

class SeriesState {
public:
    // For exchanges and connects; others have no order of their own. Of tainted ones changes are
    // found unless `leaves_out_tainted`; where our clock stepped, never.
    //
    // Two exchanges are a pair unless one that was sent sixteen after either was answered between
    // them. A change of T2 - T1 or T4 - T3 beyond a whole round trip cannot be the network's: one
    // of the clocks was set, and there is no pair.
    //
    // A run of losses begins with a loss whose predecessor is not lost. If that is told later, and
    // two runs turn out to be one, the next to begin is not counted, so that their sum is right; 64
    // runs are remembered for it.
    Findings take(const Sample& sample, bool leaves_out_tainted);

    [[nodiscard]] std::int64_t rtt_jitter_ns() const noexcept { return rtt_.value_ns(); }
    [[nodiscard]] std::int64_t owd_fwd_jitter_ns() const noexcept { return owd_fwd_.value_ns(); }
    [[nodiscard]] std::int64_t owd_rev_jitter_ns() const noexcept { return owd_rev_.value_ns(); }
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return answered_.capacity() * sizeof(Answered) + runs_.capacity() * sizeof(Run);
    }

private:
    // What is compared with the neighbours'.
    struct Answered {
        std::int64_t rtt_ns = 0;
        std::int64_t fwd_ns = 0;  // T2 - T1.
        std::int64_t rev_ns = 0;  // T4 - T3; without T3, the rest of T4 - T1.
        std::uint32_t sequence = 0;
        bool is_set = false;
        bool has_rtt = false;
        bool has_fwd = false;
        bool has_rev = false;
    };
    struct Run {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
    };

    [[nodiscard]] static Answered read(const Sample& sample) noexcept;
    [[nodiscard]] const Answered* find(std::uint32_t sequence) const noexcept;
    void compare(const Answered& before, const Answered& after, Findings& found) noexcept;
    void take_answer(const Sample& sample, Findings& found);
    void take_loss(std::uint32_t sequence, Findings& found);
    void begin_run(std::uint32_t sequence, Findings& found);

    std::vector<Answered> answered_;  // Place: sequence modulo the size, once there is one.
    std::vector<Run> runs_;           // The youngest last.
    std::uint32_t joined_ = 0;        // Runs that were counted and then were part of another.
    SmoothedJitter rtt_;
    SmoothedJitter owd_fwd_;
    SmoothedJitter owd_rev_;
};

}  // namespace latmon
