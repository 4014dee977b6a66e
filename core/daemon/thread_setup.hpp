// SPDX-License-Identifier: Apache-2.0
//
// CPUs, names, limits and ports of the process and its threads, asked of the kernel once, at start.
// Nothing here runs on a core-thread once it measures.
#pragma once

#include "base/error.hpp"
#include "config/plan.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace latmon {

// The CPUs that this process may run on, in order (sched_getaffinity(2)). [main-thread]
[[nodiscard]] std::vector<std::uint32_t> available_cpus();

// Ties the calling thread to one CPU; false if the kernel refuses.
[[nodiscard]] bool pin_thread(std::uint32_t cpu) noexcept;

// Shown by ps(1) and top(1); cut to 15 characters.
void name_thread(const std::string& name) noexcept;

// Sockets that one core opens in the worst case. Pure.
[[nodiscard]] std::uint64_t sockets_needed(const CorePlan& core_plan, std::size_t listener_count);

// Raises the soft limit of open files to what the plan needs. The error names need and limit.
// [main-thread]
[[nodiscard]] Result<void> raise_file_limit(std::uint64_t needed);

// Raises the soft limit towards `wanted`, as far as it goes without an error; returns what it is.
// [main-thread]
[[nodiscard]] std::uint64_t raise_file_limit_towards(std::uint64_t wanted) noexcept;

// Which of the planned listeners this host lets us have: binds each once, alone, so that two
// daemons cannot share a port by accident (SO_REUSEPORT would let them), and lets go again. A port
// that is taken is tried again for limits::bind_retry_ns. Optional listeners that cannot be had are
// left out with a line in the log; a required one is an error that names port and cure.
// [main-thread]
[[nodiscard]] Result<std::vector<ListenerPlan>> available_listeners(const Plan& plan);

}  // namespace latmon
