// SPDX-License-Identifier: Apache-2.0
//
// What a load generator needs of its process: a way to be told to stop, enough descriptors, and
// sleeps that end when they should. Nothing here measures.
#pragma once

#include "base/error.hpp"
#include "base/time.hpp"

#include <cstdint>

namespace latmon::loadgen {

// From now on SIGINT and SIGTERM set stop_requested(); a second one ends the process. SIGPIPE is
// ignored. [main-thread]
void catch_stop_signals() noexcept;

// Asked at least every 100 ms by every loop. [any-thread]
[[nodiscard]] bool stop_requested() noexcept;

// Raises the soft limit on open files to the hard one if `count` and a few of our own need it. The
// error says the need and the limit. [main-thread]
[[nodiscard]] Result<void> reserve_descriptors(std::uint64_t count);

// The kernel may end a sleep up to 50 us late to wake fewer times (prctl(2), PR_SET_TIMERSLACK);
// this thread asks it not to. [any-thread]
void refuse_timer_slack() noexcept;

// Keeps this thread on one CPU. The error names it. [any-thread]
[[nodiscard]] Result<void> pin_to_cpu(std::uint32_t cpu);

// CPU time of the whole process so far, in user space and in the kernel. [any-thread]
[[nodiscard]] Duration cpu_time() noexcept;

// Sleeps until `deadline` on CLOCK_MONOTONIC, or less if a signal comes. [any-thread]
void sleep_until(Instant deadline) noexcept;

}  // namespace latmon::loadgen
