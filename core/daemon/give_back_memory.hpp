// SPDX-License-Identifier: Apache-2.0
//
// Reading a configuration takes several times the memory that running it does, and the allocator
// keeps what is freed for the next who asks. Nobody will for long. Not for core-threads.
#pragma once

#include <malloc.h>

namespace latmon {

// Gives freed memory back to the kernel: malloc_trim(3). Takes milliseconds, in which who allocates
// has to wait. [main-thread]
inline void give_back_memory() noexcept {
    ::malloc_trim(0);
}

}  // namespace latmon
