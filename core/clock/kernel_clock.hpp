// SPDX-License-Identifier: Apache-2.0
//
// What the kernel says about its own wall clock (adjtimex(2)). Its word is necessary, not
// sufficient: some programs that set the clock report "synchronised, error 0" whatever they do.
// [any-thread]
#pragma once

#include "base/time.hpp"

namespace latmon {

struct KernelClock {
    bool is_synchronized = false;  // Neither TIME_ERROR nor STA_UNSYNC.
    Duration error_max;            // The kernel's bound; 16 s when nobody tends the clock.
};

// One system call.
[[nodiscard]] KernelClock read_kernel_clock() noexcept;

}  // namespace latmon
