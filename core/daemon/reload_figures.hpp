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
        values_[1] = now.ns / 1'000'000'000;
    }

    // [main-thread]
    void note(bool is_successful, WallTime now) noexcept {
        values_[0] = is_successful ? 1 : 0;
        if (is_successful) values_[1] = now.ns / 1'000'000'000;
        ++values_[2];
        if (!is_successful) ++values_[3];
    }

    [[nodiscard]] bool was_successful() const noexcept { return values_[0] == 1; }
    [[nodiscard]] std::int64_t success_s() const noexcept { return values_[1]; }
    [[nodiscard]] std::int64_t total() const noexcept { return values_[2]; }
    [[nodiscard]] std::int64_t failed() const noexcept { return values_[3]; }

    [[nodiscard]] const std::array<std::atomic<std::int64_t>, 4>& values() const noexcept {
        return values_;
    }

private:
    std::array<std::atomic<std::int64_t>, 4> values_{};
};

}  // namespace latmon
