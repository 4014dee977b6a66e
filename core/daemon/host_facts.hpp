// SPDX-License-Identifier: Apache-2.0
//
// What the kernel tells about this host in its files under /proc and /sys, as plain values; what to
// think of them is doctor_checks.hpp's. A file that cannot be read is an empty answer.
// [main-thread]
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <string>

namespace latmon {

// The first word of a file; "" if it cannot be read.
[[nodiscard]] std::string word_of(const std::string& path);

// The number that a file begins with; 0 if there is none.
[[nodiscard]] std::uint64_t number_of(const std::string& path);

// Clock ticks of all CPUs since boot, the first line of /proc/stat (proc(5)).
struct CpuTicks {
    std::uint64_t stolen = 0;  // By the hypervisor.
    std::uint64_t all = 0;
};
[[nodiscard]] CpuTicks read_cpu_ticks();

// How a CPU is clocked: "performance", "powersave"; "" if the host does not tell.
[[nodiscard]] std::string governor_of(std::uint32_t cpu);

// What the kernel reads the time from: "tsc", "kvm-clock", "hpet".
[[nodiscard]] std::string clock_source();

// What a reading of the clock takes, the median of many.
[[nodiscard]] Duration clock_reading_cost(const Clock& clock);

}  // namespace latmon
