// SPDX-License-Identifier: Apache-2.0
//
// The series that tell how a path's clocks stand to each other: five readings per probe, of kind
// LATMON_KIND_NODE, in the order below. [any-thread]
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace latmon {

// Nanoseconds, but for the skew: parts in 10^9. Offset: the peer's wall clock less ours.
inline constexpr std::array<std::string_view, 5> clock_series_names{
    "clock_offset_ns", "clock_offset_lo_ns", "clock_offset_hi_ns", "clock_skew_ppb",
    "clock_residual_ns"};
inline constexpr auto clock_series_per_probe =
    static_cast<std::uint32_t>(clock_series_names.size());

}  // namespace latmon
