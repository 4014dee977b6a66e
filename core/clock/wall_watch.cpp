// SPDX-License-Identifier: Apache-2.0
//
// See wall_watch.hpp.
#include "clock/wall_watch.hpp"

#include "base/limits.hpp"

#include <cstdlib>

namespace latmon {

WallWatch::WallWatch(const Clock& clock) noexcept
    : clock_(clock), raw_(clock.raw_now()), wall_(clock.wall_now()) {}

bool WallWatch::look() noexcept {
    const RawInstant raw = clock_.raw_now();
    const WallTime wall = clock_.wall_now();
    const Duration raw_passed = raw - raw_;
    const Duration wall_passed = wall - wall_;
    raw_ = raw;
    wall_ = wall;
    // The slew that is lawful over a long sleep: 500 ppm, on top of the fixed allowance.
    const std::int64_t allowed_ns = limits::clock_step_ns + raw_passed.ns / 2'000;
    if (std::abs((wall_passed - raw_passed).ns) <= allowed_ns) return false;
    ++steps_;
    stepped_at_ = raw;
    return true;
}

}  // namespace latmon
