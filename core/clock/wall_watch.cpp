// SPDX-License-Identifier: Apache-2.0
//
// See wall_watch.hpp. Whatever the pairs of readings leave uncertain is on the clock's side: noise
// is neither a step nor a slew.
#include "clock/wall_watch.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <cstdlib>

namespace latmon {
namespace {

constexpr Duration rate_interval = Duration::from_s(1);
constexpr std::int64_t slew_ppb = 50'000;
// The most that a crystal may be off for its rate to pass for usual.
constexpr std::int64_t usual_ppb_max = 100'000;
constexpr std::uint32_t usual_after = 60;  // Measurements.
// The usual rate follows what is measured by this fraction: temperature takes minutes.
constexpr std::int64_t usual_share = 64;

}  // namespace

WallWatch::WallWatch(const Clock& clock) noexcept
    : clock_(clock), pair_(read_pair(clock)), suspended_(clock.suspended()), rate_from_(pair_) {}

bool WallWatch::look() noexcept {
    const ClockPair before = pair_;
    pair_ = read_pair(clock_);
    const Duration passed = pair_.raw - before.raw;
    const Duration jump = pair_.wall_minus_raw() - before.wall_minus_raw();
    const Duration lawful = lawful_slew(passed, before.uncertainty + pair_.uncertainty);
    if (std::abs(jump.ns) <= lawful.ns + limits::wall_moved_ns) {
        watch_rate();
        return false;
    }
    note_change(jump, lawful);
    const Duration allowed = lawful + Duration{limits::clock_step_ns};
    if (std::abs(jump.ns) <= allowed.ns) return false;
    note_jump(jump, allowed);
    return true;
}

// A stamp from before shows at most what the clock showed when it was set, before it was; that is
// later than now if it was set back.
void WallWatch::note_change(Duration moved, Duration lawful) noexcept {
    const WallTime last = pair_.wall + std::max(lawful - moved, Duration{});
    last_stamp_ = pair_.raw <= stale_until_ ? std::max(last_stamp_, last) : last;
    stale_until_ = pair_.raw + Duration{limits::stale_stamps_ns};
    ++epoch_;
    rate_from_ = pair_;
}

// CLOCK_BOOTTIME goes on while the host is suspended, by as much as the wall clock does; what of
// the jump that does not explain was a step.
void WallWatch::note_jump(Duration jump, Duration allowed) noexcept {
    const Duration slept = clock_.suspended() - suspended_;
    suspended_ = suspended_ + slept;
    if (slept.ns > limits::clock_step_ns) ++suspends_;
    if (std::abs((jump - slept).ns) > allowed.ns) ++steps_;
    has_jumped_ = true;
    jumped_at_ = pair_.raw;
}

void WallWatch::watch_rate() noexcept {
    const Duration passed = pair_.raw - rate_from_.raw;
    if (passed < rate_interval) return;
    const std::int64_t passed_us = passed.ns / 1'000;
    const Duration bent = pair_.wall_minus_raw() - rate_from_.wall_minus_raw();
    const Duration noise = pair_.uncertainty + rate_from_.uncertainty;
    // Nanoseconds in a microsecond are 10^-3: a million of them to 10^-9. Neither is beyond some
    // milliseconds and 500 ppm of what passed, so the product is far from overflow for a month.
    const std::int64_t rate_ppb = bent.ns * 1'000'000 / passed_us;
    const std::int64_t noise_ppb = noise.ns * 1'000'000 / passed_us;
    // It may have been a slip: a long turn hides one from look().
    if (is_rate_unusual(rate_ppb, noise_ppb)) note_change(bent, lawful_slew(passed, noise));
    rate_from_ = pair_;
}

bool WallWatch::is_rate_unusual(std::int64_t rate_ppb, std::int64_t noise_ppb) noexcept {
    // The thread was kept from its CPU: nothing was measured.
    if (noise_ppb > slew_ppb) return false;
    if (!has_usual_) {
        has_usual_ = true;
        usual_ppb_ = std::clamp(rate_ppb, -usual_ppb_max, usual_ppb_max);
    }
    if (std::abs(rate_ppb - usual_ppb_) <= slew_ppb + noise_ppb) {
        usual_ppb_ += (rate_ppb - usual_ppb_) / usual_share;
        usual_ppb_ = std::clamp(usual_ppb_, -usual_ppb_max, usual_ppb_max);
        unusual_count_ = 0;
        return false;
    }
    if (unusual_count_ == 0 || std::abs(rate_ppb - unusual_ppb_) > slew_ppb / 2 + noise_ppb) {
        unusual_ppb_ = rate_ppb;
        unusual_count_ = 0;
    }
    ++unusual_count_;
    if (unusual_count_ >= usual_after && std::abs(rate_ppb) <= usual_ppb_max) {
        usual_ppb_ = rate_ppb;
        unusual_count_ = 0;
    }
    return true;
}

}  // namespace latmon
