// SPDX-License-Identifier: Apache-2.0
//
// Threads that measure nothing and must not be in the way of those that do: they keep off the CPUs
// of the core-threads if there are others, and get no signals. What they run, and when they end, is
// their owner's affair.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace latmon {

struct BackgroundThread {
    std::string name;                      // Shown by ps(1); the kernel keeps 15 characters.
    std::vector<std::uint32_t> core_cpus;  // To keep off.
    // Added to the process's nice value: how far it stands back where it must share a CPU.
    int nice = 0;
};

// Starts a thread that runs `body`, with all signals blocked in it from its first moment.
// [any-thread but core-threads]
[[nodiscard]] std::thread start_background_thread(const BackgroundThread& options,
                                                  std::function<void()> body);

// Keeps the calling thread, and those that it starts, off the CPUs of the core-threads. If there
// are no others, or the kernel refuses, it stays where it is. [any-thread but core-threads]
void keep_off_cores(std::span<const std::uint32_t> core_cpus) noexcept;

}  // namespace latmon
