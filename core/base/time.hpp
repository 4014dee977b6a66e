// SPDX-License-Identifier: Apache-2.0
//
// Time as types, so that mixing clocks does not compile. There are three clocks:
//
//   Instant     CLOCK_MONOTONIC      deadlines: what the ring sleeps until
//   RawInstant  CLOCK_MONOTONIC_RAW  intervals: never slewed by NTP, so an RTT is made of these
//   WallTime    CLOCK_REALTIME       what the wire and the exporters want; may jump at any time
//
// Only equal kinds subtract, and the difference is a Duration. Nothing converts one clock to
// another. Raw `int64_t ..._ns` stands only at the wire, the ABI and the configuration.
#pragma once

#include <compare>
#include <cstdint>

namespace latmon {

struct Duration {
    std::int64_t ns = 0;

    [[nodiscard]] static constexpr Duration from_us(std::int64_t us) noexcept {
        return Duration{us * 1'000};
    }
    [[nodiscard]] static constexpr Duration from_ms(std::int64_t ms) noexcept {
        return Duration{ms * 1'000'000};
    }
    [[nodiscard]] static constexpr Duration from_s(std::int64_t s) noexcept {
        return Duration{s * 1'000'000'000};
    }

    friend constexpr auto operator<=>(Duration, Duration) noexcept = default;
    friend constexpr Duration operator+(Duration a, Duration b) noexcept {
        return Duration{a.ns + b.ns};
    }
    friend constexpr Duration operator-(Duration a, Duration b) noexcept {
        return Duration{a.ns - b.ns};
    }
    friend constexpr Duration operator-(Duration a) noexcept { return Duration{-a.ns}; }
    friend constexpr Duration operator*(Duration a, std::int64_t n) noexcept {
        return Duration{a.ns * n};
    }
    friend constexpr Duration operator/(Duration a, std::int64_t n) noexcept {
        return Duration{a.ns / n};
    }
    friend constexpr std::int64_t operator/(Duration a, Duration b) noexcept { return a.ns / b.ns; }
};

// A reading of one clock, in nanoseconds since that clock's own beginning.
template <typename ClockTag>
struct TimePoint {
    std::int64_t ns = 0;

    friend constexpr auto operator<=>(TimePoint, TimePoint) noexcept = default;
    friend constexpr Duration operator-(TimePoint a, TimePoint b) noexcept {
        return Duration{a.ns - b.ns};
    }
    friend constexpr TimePoint operator+(TimePoint a, Duration d) noexcept {
        return TimePoint{a.ns + d.ns};
    }
    friend constexpr TimePoint operator-(TimePoint a, Duration d) noexcept {
        return TimePoint{a.ns - d.ns};
    }
};

using Instant = TimePoint<struct MonotonicTag>;
using RawInstant = TimePoint<struct MonotonicRawTag>;
using WallTime = TimePoint<struct RealtimeTag>;  // Since 1970-01-01 UTC.

// Where a thread gets its time from: OsClock in the daemon, a virtual one in scenario tests.
// Reads are noexcept and allocate nothing. [any-thread, if the implementation says so]
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Instant now() const noexcept = 0;
    [[nodiscard]] virtual RawInstant raw_now() const noexcept = 0;
    [[nodiscard]] virtual WallTime wall_now() const noexcept = 0;
    // A stamp that the kernel took of CLOCK_REALTIME, as wall_now() would have shown that moment:
    // the same, unless this clock is made to lie.
    [[nodiscard]] virtual WallTime wall_of_kernel(WallTime stamp) const noexcept { return stamp; }
    // How long the host has been suspended since it booted: CLOCK_BOOTTIME less CLOCK_MONOTONIC.
    [[nodiscard]] virtual Duration suspended() const noexcept { return {}; }
    // How long the hypervisor has run somebody else on the CPU `cpu` ("steal" of proc(5)), in
    // clock ticks of 10 ms; 0 if it does not tell. One system call of some 20 us: ask only when
    // something is wrong.
    [[nodiscard]] virtual Duration stolen(std::uint32_t cpu) const noexcept {
        static_cast<void>(cpu);
        return {};
    }
    // CPU time that the calling thread has used since it began. One system call of some 0.3 us.
    [[nodiscard]] virtual Duration thread_cpu() const noexcept { return {}; }
};

// Readings of two clocks for one moment.
struct ClockPair {
    RawInstant raw;
    WallTime wall;
    Duration uncertainty;  // `wall` was read at most this much before or after `raw`.

    // What maps a wall stamp near this moment to the steady clock and back.
    [[nodiscard]] constexpr Duration wall_minus_raw() const noexcept {
        return Duration{wall.ns - raw.ns};
    }
};

// Reads the wall clock between two readings of the raw clock, and again if the thread was
// interrupted meanwhile, a few times at most. About 70 ns. [any-thread]
[[nodiscard]] ClockPair read_pair(const Clock& clock) noexcept;

// A lie about the wall clock, for tests on one machine: namespaces do not divide CLOCK_REALTIME, so
// an unsynchronised or stepping clock has to be made here. All zero in real use.
struct ClockSeam {
    Duration wall_offset;      // Added to every wall reading.
    Duration wall_step;        // Added from `wall_step_after` on: an NTP-style jump.
    Duration wall_step_after;  // Counted from construction of the clock.
};

// The kernel's clocks, by way of the vDSO. Immutable after construction. [any-thread]
class OsClock final : public Clock {
public:
    explicit OsClock(ClockSeam seam = {}) noexcept;
    [[nodiscard]] Instant now() const noexcept override;
    [[nodiscard]] RawInstant raw_now() const noexcept override;
    [[nodiscard]] WallTime wall_now() const noexcept override;
    [[nodiscard]] WallTime wall_of_kernel(WallTime stamp) const noexcept override;
    [[nodiscard]] Duration suspended() const noexcept override;
    [[nodiscard]] Duration stolen(std::uint32_t cpu) const noexcept override;
    [[nodiscard]] Duration thread_cpu() const noexcept override;

private:
    [[nodiscard]] Duration shift() const noexcept;

    ClockSeam seam_;
    bool has_step_;
    RawInstant step_at_;
};

}  // namespace latmon
