// SPDX-License-Identifier: Apache-2.0
//
// What the kernel says about its own wall clock (adjtimex(2)). Its word is necessary, not
// sufficient: some programs that set the clock report "synchronised, error 0" whatever they do.
// [any-thread]
#pragma once

#include "base/time.hpp"

namespace latmon {

struct KernelClock {
    bool is_synchronized = false;  // Neither TIME_ERROR nor TIME_OOP nor STA_UNSYNC.
    Duration error_max;            // The kernel's bound; 16 s when nobody tends the clock.
    Duration remaining;  // What its own loop has yet to slew off, either way; not in error_max.
    bool has_tai_offset = false;  // A kernel that was never told says 0: unknown.
    Duration tai_offset;          // TAI - UTC.
};

// One system call.
[[nodiscard]] KernelClock read_kernel_clock() noexcept;

// Whether `error_max` can be a bound that somebody reckoned. phc2sys and systemd-timesyncd set it
// to 0 at every update, and the kernel adds 500 us per second of its own (second_overflow() of
// kernel/time/ntp.c), so a multiple of 500 us is nobody's word: neither is a bound of 0, nor the
// 16 s of an untended clock. An honest bound is one by chance in 500 cases, and waits for the next.
[[nodiscard]] bool is_believable(const KernelClock& kernel) noexcept;

}  // namespace latmon
