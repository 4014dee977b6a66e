// SPDX-License-Identifier: Apache-2.0
//
// Sums of nanoseconds in 128 bits: exact whatever is added up, and so the same in any order. They
// become 64 bits only where they leave latmon. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace latmon {

// Not ISO C++; both compilers have it on every 64-bit machine.
__extension__ using Wide = __int128;

// The nearest value that 64 bits hold. [any-thread]
[[nodiscard]] constexpr std::int64_t narrow(Wide value) noexcept {
    constexpr Wide least = std::numeric_limits<std::int64_t>::min();
    constexpr Wide most = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(std::clamp(value, least, most));
}

}  // namespace latmon
