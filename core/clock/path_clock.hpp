// SPDX-License-Identifier: Apache-2.0
//
// What the exchanges of one path say about the offset between our clock and the peer's, and so
// about one-way delays. One exchange says, with d_f, d_b >= 0 the true delays and theta the peer's
// clock less ours (RFC 7679 section 3.7 calls for a bound, RFC 5905 section 8 for the offset):
//
//      T2 - T1 = d_f + theta           so, whatever the clocks claim:
//      T4 - T3 = d_b - theta           theta in [T3 - T4, T2 - T1]
//
// Intersected over time, with old intervals widened by how fast the clocks may drift apart, this
// bounds theta; claims of the clocks' errors are checked against it and believed only within it.
// All of it is reckoned on our steady clock (CLOCK_MONOTONIC_RAW), so that a slew of our own wall
// clock moves nothing. One per probe; owned by one core-thread; allocates nothing.
#pragma once

#include "base/time.hpp"
#include "clock/offset_line.hpp"

#include <cstdint>
#include <optional>

namespace latmon {

// How far one-way delays may be trusted: latmon_owd_class_t, which this layer does not see.
enum class OwdClass : std::uint8_t {
    none = 0,       // Nothing is known.
    bounded = 1,    // Both clocks claim their bounds, and nothing contradicts them.
    estimated = 2,  // Bounds by causality alone; the value assumes a symmetric path.
    relative = 3,   // Only changes from exchange to exchange mean something.
    falsified = 4   // A claim contradicts causality: no value.
};

// The four stamps of one exchange. T1 and T4 by our wall clock, T2 and T3 by the peer's.
struct PathStamps {
    WallTime t1;
    WallTime t2;
    WallTime t3;
    WallTime t4;
    RawInstant at;            // About T4: when this was.
    Duration wall_minus_raw;  // Of our clocks at that time: what maps T1 and T4 to the steady one.
    Duration uncertainty;     // Of that mapping and of the stamps themselves, either way.
};

// What is claimed about the clocks at the time of an exchange. nullopt: nothing is claimed (S = 0).
struct ClockClaims {
    std::optional<Duration> local_error;   // By our own rules: see local_clock.hpp.
    std::optional<Duration> remote_error;  // As the peer says.
    bool is_remote_trusted = false;        // The operator trusts the peer's word.
};

struct OneWayDelays {
    OwdClass owd_class = OwdClass::none;
    bool has_values = false;  // forward, reverse
    bool has_bounds = false;  // ..._lo, ..._hi
    Duration forward;
    Duration forward_lo;
    Duration forward_hi;
    Duration reverse;
    Duration reverse_lo;
    Duration reverse_hi;
};

// The state of the path's clock at one moment.
struct OffsetReading {
    bool has_bounds = false;  // offset_lo, offset_hi
    bool has_estimate = false;
    Duration offset;  // theta: the peer's wall clock less ours; the best guess.
    Duration offset_lo;
    Duration offset_hi;
    std::int64_t skew_ppb = 0;  // How fast theta grows: parts in 10^9, against our steady clock.
    Duration residual;          // Spread of recent best exchanges around offset and skew.
};

// What is rigorous: as long as the peer's wall clock keeps within `drift_ppb` of our steady clock,
// and every step of either clock is followed by reset(), the true delays lie within the bounds.
//
// What is not: a step, or a slew beyond `drift_ppb`, that nobody announces. It is seen when the
// intersection becomes empty: at once if it exceeds the round trip of the exchange plus the width
// of the window, and at the latest when it exceeds that for some later exchange. Until then the
// bounds may miss the truth, by less than the round trip of the exchange they are given for,
// because they are never beyond its own [T3 - T4, T2 - T1]. A trusted peer that claims too small
// an error is caught on the same terms; less than a round trip no arithmetic can tell from delay.
class PathClock {
public:
    // `drift_ppb`: how fast the peer's wall clock and our steady clock may run apart at most, in
    // parts in 10^9 of time: both crystals, and the fastest slew that the peer's clock discipline
    // makes without telling.
    explicit PathClock(std::int64_t drift_ppb) noexcept;

    // Takes one exchange into account and judges its one-way delays. Exchanges come in the order in
    // which they were received; T4 - T1 >= T3 - T2 has been checked. [core-thread]
    [[nodiscard]] OneWayDelays judge(const PathStamps& stamps, const ClockClaims& claims) noexcept;

    // Forgets everything but the counters: our wall clock stepped, the host was suspended, the peer
    // says that its clock stepped, or the path is another. [core-thread]
    void reset() noexcept;

    // The offset at `at`, a moment not before the last exchange, where our clocks are
    // `wall_minus_raw` apart. Bounds from the first exchange on, for a day; an estimate from as
    // many exchanges on as OwdClass::estimated wants. [core-thread]
    [[nodiscard]] OffsetReading read(RawInstant at, Duration wall_minus_raw) const noexcept;

    // Since construction. A contradiction is an intersection that became empty: the peer's clock
    // stepped, or runs faster than `drift_ppb` allows; it resets by itself. resets() counts all:
    // by call, by contradiction, and by a day of silence. falsified() counts exchanges.
    [[nodiscard]] std::uint64_t resets() const noexcept { return resets_; }
    [[nodiscard]] std::uint64_t contradictions() const noexcept { return contradictions_; }
    [[nodiscard]] std::uint64_t falsified() const noexcept { return falsified_; }

private:
    // Where the peer's wall clock less our steady clock is, at a given moment.
    struct Window {
        Duration lo;
        Duration hi;
    };
    // One exchange by the wall clocks: theta lies in [-reverse, forward].
    struct Exchange {
        Duration forward;  // T2 - T1
        Duration reverse;  // T4 - T3
        Duration slack;    // Stamps, mapping, and drift while it was under way.
    };

    [[nodiscard]] Duration drift_over(Duration passed) const noexcept;
    [[nodiscard]] Exchange reckon(const PathStamps& stamps) const noexcept;
    void take(const PathStamps& stamps, const Exchange& exchange) noexcept;
    void advance(Duration passed) noexcept;
    [[nodiscard]] bool is_contradicted(Duration claimed, const Window& theta,
                                       const Exchange& exchange) const noexcept;
    [[nodiscard]] static OneWayDelays bounds_of(const Exchange& exchange,
                                                const Window& theta) noexcept;
    [[nodiscard]] Window offset_window(Duration wall_minus_raw) const noexcept;

    OffsetLine line_;
    Window window_;  // As of `at_`.
    RawInstant at_;  // The last exchange.
    Duration uncertainty_;
    std::int64_t drift_ppb_;
    std::uint64_t resets_ = 0;
    std::uint64_t contradictions_ = 0;
    std::uint64_t falsified_ = 0;
    std::uint32_t carry_ = 0;      // What the window has yet to widen by: 10^-9 ns.
    std::uint16_t exchanges_ = 0;  // Since it was forgotten; stops at what anybody asks for.
    bool is_refuted_ = false;      // A claim was caught since then.
};

// Thousands of probes have one each.
static_assert(sizeof(PathClock) <= 512);

}  // namespace latmon
