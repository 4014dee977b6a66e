// SPDX-License-Identifier: Apache-2.0
//
// A clock whose hands the test moves: time passes, the wall clock slips, the host sleeps. For one
// thread; nothing moves by itself, but for what a reading is told to take.
#pragma once

#include "base/time.hpp"

namespace latmon {

class ManualClock final : public Clock {
public:
    [[nodiscard]] Instant now() const noexcept override { return Instant{raw_.ns}; }
    [[nodiscard]] RawInstant raw_now() const noexcept override {
        raw_ = raw_ + reading_takes;
        wall_ = wall_ + reading_takes;
        return raw_;
    }
    [[nodiscard]] WallTime wall_now() const noexcept override { return wall_; }
    [[nodiscard]] Duration suspended() const noexcept override { return suspended_; }

    // Time passes, and the wall clock sees `slip` more of it.
    void pass(Duration time, Duration slip = {}) noexcept {
        raw_ = raw_ + time;
        wall_ = wall_ + time + slip;
    }
    // The host is suspended; the wall clock wakes up `slip` ahead of where it should be.
    void suspend(Duration time, Duration slip = {}) noexcept {
        wall_ = wall_ + time + slip;
        suspended_ = suspended_ + time;
    }

    Duration reading_takes;  // Each reading of RAW takes so long: pairs become uncertain.

private:
    mutable RawInstant raw_{1'000'000'000};
    mutable WallTime wall_{1'768'219'134'000'000'000};
    Duration suspended_ = Duration::from_s(5);
};

}  // namespace latmon
