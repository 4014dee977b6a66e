// SPDX-License-Identifier: Apache-2.0
//
// Decides how early to wake for a deadline. A thread that sleeps until a deadline wakes 20..80 us
// late on a virtual machine; one that wakes early and spins the rest is on time but burns CPU.
// `balanced` wakes early by what recent wake-ups were late, and never spins more than a fixed share
// of the time; `power` never spins; `spin` never sleeps. Pure arithmetic; owned by one reactor.
#pragma once

#include "base/time.hpp"

#include <algorithm>
#include <cstdint>

namespace latmon {

class Pacing {
public:
    enum class Mode : std::uint8_t { power, balanced, spin };

    explicit Pacing(Mode mode) noexcept : mode_(mode) {}

    // How long before the deadline to end a sleep that begins at `now`. Zero: sleep to the
    // deadline.
    [[nodiscard]] Duration margin(Instant now) noexcept {
        if (mode_ != Mode::balanced) return Duration{};
        refill(now);
        return budget_ >= margin_ ? margin_ : Duration{};
    }

    [[nodiscard]] bool never_sleeps() const noexcept { return mode_ == Mode::spin; }

    // A sleep ended `late` after the moment it was to end at, by its timer.
    void note_wake(Duration late) noexcept {
        // Rises by an eighth and falls by a 64th of the difference: settles where about one wake-up
        // in nine is later than the margin.
        const Duration difference = late - margin_;
        margin_ = margin_ + difference / (difference.ns > 0 ? 8 : 64);
        margin_ = std::clamp(margin_, margin_min, margin_max);
    }

    // Spun for `spun` until the deadline.
    void note_spin(Duration spun) noexcept { budget_ = std::max(budget_ - spun, Duration{}); }

private:
    // A twentieth of the time may be spun away; unused budget is kept for up to 100 ms of spinning
    // at that share, so that a burst of deadlines cannot take a whole CPU.
    static constexpr std::int64_t spin_share = 20;
    static constexpr Duration budget_max = Duration::from_ms(5);
    static constexpr Duration margin_min = Duration::from_us(2);
    static constexpr Duration margin_max = Duration::from_us(200);

    void refill(Instant now) noexcept {
        if (now > refilled_at_) {
            budget_ = std::min(budget_ + (now - refilled_at_) / spin_share, budget_max);
            refilled_at_ = now;
        }
    }

    Mode mode_;
    Duration margin_ = Duration::from_us(60);
    Duration budget_ = budget_max;
    Instant refilled_at_{};
};

}  // namespace latmon
