// SPDX-License-Identifier: Apache-2.0
//
// OsClock: three vDSO reads. clock_gettime(2) cannot fail for these ids with a valid pointer.
#include "base/time.hpp"

#include "base/assert.hpp"

#include <ctime>

namespace latmon {
namespace {

std::int64_t read_clock_ns(clockid_t id) noexcept {
    timespec value{};
    const int result = ::clock_gettime(id, &value);
    LATMON_ASSERT(result == 0);
    return static_cast<std::int64_t>(value.tv_sec) * 1'000'000'000 + value.tv_nsec;
}

}  // namespace

OsClock::OsClock(ClockSeam seam) noexcept
    : seam_(seam),
      has_step_(seam.wall_step.ns != 0),
      step_at_(RawInstant{read_clock_ns(CLOCK_MONOTONIC_RAW)} + seam.wall_step_after) {}

Instant OsClock::now() const noexcept {
    return Instant{read_clock_ns(CLOCK_MONOTONIC)};
}

RawInstant OsClock::raw_now() const noexcept {
    return RawInstant{read_clock_ns(CLOCK_MONOTONIC_RAW)};
}

WallTime OsClock::wall_now() const noexcept {
    WallTime wall = WallTime{read_clock_ns(CLOCK_REALTIME)} + seam_.wall_offset;
    if (has_step_ && raw_now() >= step_at_) wall = wall + seam_.wall_step;
    return wall;
}

}  // namespace latmon
