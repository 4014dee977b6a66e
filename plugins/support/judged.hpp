// SPDX-License-Identifier: Apache-2.0
//
// Which losses of a window its percentiles are over: those that were not left out as tainted. A
// latmon that is older than this plugin does not say how many were, and then all of them are. Pure;
// any thread.
#pragma once

#include <latmon/window.h>

#include <cstddef>
#include <cstdint>

namespace latmon::plugins {

// Losses that were left out; 0 if this latmon does not say.
[[nodiscard]] inline std::uint64_t lost_left_out(const latmon_window_t& window) noexcept {
    constexpr std::size_t end =
        offsetof(latmon_window_t, lost_left_out) + sizeof(window.lost_left_out);
    return window.struct_size < end ? 0 : window.lost_left_out;
}

// Losses that are longer than any round trip.
[[nodiscard]] inline std::uint64_t judged_lost(const latmon_window_t& window) noexcept {
    return window.lost - lost_left_out(window);
}

}  // namespace latmon::plugins
