// SPDX-License-Identifier: Apache-2.0
//
// When a simulated target is away: for a while in every period, all targets in turn, so that about
// as many are away at any time. No chance in it. Pure; immutable; any thread.
#pragma once

#include "base/time.hpp"

#include <cstdint>

namespace latmon::loadgen {

struct OutageOptions {
    Duration period;             // Greater than `length`, if that is not 0.
    Duration length;             // 0: nobody is ever away.
    double share_percent = 100;  // Of targets that go away at all, spread evenly over the list.
};

class Outages {
public:
    Outages(const OutageOptions& options, std::uint32_t target_count, Instant origin) noexcept
        : options_(options), target_count_(target_count), origin_(origin) {}

    // `now` is not before the origin. The first target is away at the end of each period, the
    // others earlier by their share of it.
    [[nodiscard]] bool is_away(std::uint32_t target, Instant now) const noexcept {
        if (options_.length.ns == 0 || !goes_away(target)) return false;
        const double phase = static_cast<double>(options_.period.ns) / target_count_ * target;
        const std::int64_t passed = (now - origin_).ns + static_cast<std::int64_t>(phase);
        return passed % options_.period.ns >= (options_.period - options_.length).ns;
    }

private:
    [[nodiscard]] bool goes_away(std::uint32_t target) const noexcept {
        const double share = options_.share_percent / 100;
        return static_cast<std::uint64_t>((target + 1.0) * share + rounding) >
               static_cast<std::uint64_t>(target * share + rounding);
    }

    static constexpr double rounding = 1e-6;  // 100 x 1 % is a whole one.

    OutageOptions options_;
    std::uint32_t target_count_;
    Instant origin_;
};

}  // namespace latmon::loadgen
