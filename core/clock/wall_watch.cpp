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
    // The slew that is lawful over a long sleep: 500 ppm, on top of the fixed allowance.
    const std::int64_t allowed_ns =
        limits::clock_step_ns + passed.ns / 2'000 + before.uncertainty.ns + pair_.uncertainty.ns;
    if (std::abs(jump.ns) <= allowed_ns) {
        watch_rate();
        return false;
    }
    note_jump(jump, allowed_ns);
    return true;
}

// CLOCK_BOOTTIME goes on while the host is suspended, by as much as the wall clock does; what of
// the jump that does not explain was a step.
void WallWatch::note_jump(Duration jump, std::int64_t allowed_ns) noexcept {
    const Duration slept = clock_.suspended() - suspended_;
    suspended_ = suspended_ + slept;
    if (slept.ns > limits::clock_step_ns) ++suspends_;
    if (std::abs((jump - slept).ns) > allowed_ns) ++steps_;
    has_jumped_ = true;
    jumped_at_ = pair_.raw;
    ++epoch_;
    rate_from_ = pair_;
}

void WallWatch::watch_rate() noexcept {
    const Duration passed = pair_.raw - rate_from_.raw;
    if (passed < rate_interval) return;
    const std::int64_t passed_us = passed.ns / 1'000;
    const Duration bent = pair_.wall_minus_raw() - rate_from_.wall_minus_raw();
    const Duration noise = pair_.uncertainty + rate_from_.uncertainty;
    // Nanoseconds in a microsecond are 10^-3: a million of them to 10^-9. Neither is beyond some
    // milliseconds and 500 ppm of what passed, so the product is far from overflow for a month.
    judge_rate(bent.ns * 1'000'000 / passed_us, noise.ns * 1'000'000 / passed_us);
    rate_from_ = pair_;
}

void WallWatch::judge_rate(std::int64_t rate_ppb, std::int64_t noise_ppb) noexcept {
    if (noise_ppb > slew_ppb) return;  // The thread was kept from its CPU: nothing was measured.
    if (!has_usual_) {
        has_usual_ = true;
        usual_ppb_ = std::clamp(rate_ppb, -usual_ppb_max, usual_ppb_max);
    }
    if (std::abs(rate_ppb - usual_ppb_) <= slew_ppb + noise_ppb) {
        usual_ppb_ += (rate_ppb - usual_ppb_) / usual_share;
        usual_ppb_ = std::clamp(usual_ppb_, -usual_ppb_max, usual_ppb_max);
        unusual_count_ = 0;
        return;
    }
    ++epoch_;
    if (unusual_count_ == 0 || std::abs(rate_ppb - unusual_ppb_) > slew_ppb / 2 + noise_ppb) {
        unusual_ppb_ = rate_ppb;
        unusual_count_ = 0;
    }
    ++unusual_count_;
    if (unusual_count_ < usual_after || std::abs(rate_ppb) > usual_ppb_max) return;
    usual_ppb_ = rate_ppb;
    unusual_count_ = 0;
}

}  // namespace latmon
