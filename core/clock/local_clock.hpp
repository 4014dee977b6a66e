// SPDX-License-Identifier: Apache-2.0
//
// What this host knows about its own wall clock: whether it follows UTC, and within what bound. A
// value made by the main-thread (clock_survey.hpp), carried to the core-threads, and good for a
// limited time. It is what Error Estimates (RFC 8762 section 4.2.1) are made of.
#pragma once

#include "base/time.hpp"

#include <cstdint>

namespace latmon {

// Whose word the bound is.
enum class ClockSource : std::uint8_t {
    none,      // Nobody's: the clock is not known to follow anything.
    kernel,    // adjtimex(2): maxerror, where STA_UNSYNC is clear and maxerror is not 0.
    chrony,    // chronyd, by its command port.
    operator_  // The configuration: a PTP clock, say, whose daemon nobody can ask.
};

struct LocalClock {
    bool is_synchronized = false;  // S of the Error Estimate: by our rules, never a constant.
    ClockSource source = ClockSource::none;
    Duration error = Duration::from_s(16);  // Bound at `as_of`; the kernel's "no idea" is 16 s.
    Instant as_of;
    Instant valid_until;  // Whoever was to renew this has not: from here on nothing is claimed.
    bool has_tai_offset = false;
    Duration tai_offset;  // TAI - UTC, adjtimex(2); a kernel that was never told says 0.

    // Whether it may be claimed at `now` that the clock follows UTC. [any-thread]
    [[nodiscard]] constexpr bool is_synchronized_at(Instant now) const noexcept {
        return is_synchronized && now < valid_until;
    }
    // The bound at `now`: it grows by what a free crystal may drift. [any-thread]
    [[nodiscard]] constexpr Duration error_at(Instant now) const noexcept {
        return now > as_of ? error + (now - as_of) / free_drift_divisor : error;
    }

    // 100 ppm: what common crystals keep to, temperature and age included.
    static constexpr std::int64_t free_drift_divisor = 10'000;
};

}  // namespace latmon
