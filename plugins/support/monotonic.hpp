// SPDX-License-Identifier: Apache-2.0
//
// Time for pauses and intervals within one process. Not for samples, which carry their own. Any
// thread.
#pragma once

#include <cstdint>
#include <ctime>

namespace latmon::plugins {

// CLOCK_MONOTONIC. [any-thread]
[[nodiscard]] inline std::int64_t monotonic_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace latmon::plugins
