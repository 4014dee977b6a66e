// SPDX-License-Identifier: Apache-2.0
//
// How loading the configuration anew went, for whoever watches the node. The main-thread writes;
// one core-thread tells it with the node's other counters, in the order of reload_series_names.
#pragma once

#include "base/time.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

namespace latmon {

class ReloadFigures {
public:
    // The configuration that we start with counts as loaded now. [main-thread]
    explicit ReloadFigures(WallTime now) noexcept {
        values_[0] = 1;
        values_[1] = seconds(now);
    }

    // [main-thread]
    void note(bool is_successful, WallTime now) noexcept {
        values_[0] = is_successful ? 1 : 0;
        if (is_successful) values_[1] = seconds(now);
        ++values_[2];
        if (!is_successful) ++values_[3];
    }

    [[nodiscard]] const std::array<std::atomic<std::uint64_t>, 4>& values() const noexcept {
        return values_;
    }

private:
    // Since 1970; a clock before that has none.
    [[nodiscard]] static std::uint64_t seconds(WallTime time) noexcept {
        return time.ns < 0 ? 0 : static_cast<std::uint64_t>(time.ns / 1'000'000'000);
    }

    std::array<std::atomic<std::uint64_t>, 4> values_{};
};

}  // namespace latmon
