// SPDX-License-Identifier: Apache-2.0
//
// Nearest rank, so that every percentile of latmon means the same: the smallest value of which at
// least so much of all values is not above it. Pure.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace latmon {

// 1 to `count`, which is not 0; `ratio` in [0, 1]. A ratio such as 0.07 is no double: what comes
// within its rounding of a whole rank is that rank, or 7 % of 100 would be the eighth. [any-thread]
[[nodiscard]] inline std::uint64_t nearest_rank(double ratio, std::uint64_t count) noexcept {
    using Real = long double;
    const Real exact = Real{ratio} * static_cast<Real>(count);
    const Real whole = std::round(exact);
    const Real rounding = exact * Real{std::numeric_limits<double>::epsilon()};
    const Real rank = std::abs(exact - whole) <= rounding ? whole : std::ceil(exact);
    if (rank >= static_cast<Real>(count)) return count;
    return std::max<std::uint64_t>(static_cast<std::uint64_t>(rank), 1);
}

// The rank among `count` values and `above` greater ones, as nearest_rank(); 0 if there is none
// below `above`, or if `ratio` is not a number. Ratios beyond 0 and 1 are taken for these.
// [any-thread]
[[nodiscard]] inline std::uint64_t rank_below(double ratio, std::uint64_t count,
                                              std::uint64_t above) noexcept {
    if (count == 0 || std::isnan(ratio)) return 0;
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t all = count + std::min(above, most - count);
    const std::uint64_t rank = nearest_rank(std::clamp(ratio, 0.0, 1.0), all);
    return rank <= count ? rank : 0;
}

}  // namespace latmon
