// SPDX-License-Identifier: Apache-2.0
//
// Assertions that stay on in release: a measuring instrument that has gone wrong must stop, not
// publish. They guard what latmon itself must hold true; what the network, a plugin or an operator
// does is data and is never asserted. Usable on every thread; a failure prints one line and aborts.
#pragma once

namespace latmon {

// Prints `file:line: assertion failed: expression` to stderr with write(2), so that it allocates
// nothing and works on a core-thread, then aborts. [any-thread]
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace latmon

#define LATMON_ASSERT(expression)                       \
    (__builtin_expect(static_cast<bool>(expression), 1) \
         ? static_cast<void>(0)                         \
         : ::latmon::assertion_failed(#expression, __FILE__, __LINE__))
