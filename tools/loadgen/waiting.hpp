// SPDX-License-Identifier: Apache-2.0
//
// epoll as both ends of a load use it: waits that end to the nanosecond, because one that ends to
// the millisecond would be late by more than what is measured. Any thread.
#pragma once

#include "base/time.hpp"

#include <sys/epoll.h>
#include <cstddef>
#include <span>

namespace latmon::loadgen {

// As epoll_pwait2(2), which Linux has since 5.11; returns how many events there are, 0 on a signal.
[[nodiscard]] inline std::size_t wait_for_events(int epoll, Duration wait,
                                                 std::span<epoll_event> events) noexcept {
    const timespec timeout{.tv_sec = wait.ns / 1'000'000'000, .tv_nsec = wait.ns % 1'000'000'000};
    const int count =
        ::epoll_pwait2(epoll, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    return count < 0 ? 0 : static_cast<std::size_t>(count);
}

}  // namespace latmon::loadgen
