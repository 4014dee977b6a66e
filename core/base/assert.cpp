// SPDX-License-Identifier: Apache-2.0
//
// The cold half of assert.hpp: formats the line on the stack, because the heap may be what broke.
#include "base/assert.hpp"

#include <unistd.h>
#include <cstdio>
#include <cstdlib>

namespace latmon {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
    char text[512];
    const int length =
        std::snprintf(text, sizeof(text), "%s:%d: assertion failed: %s\n", file, line, expression);
    if (length > 0) {
        const auto bytes = static_cast<std::size_t>(length);
        // The result is of no use: the next statement ends the process either way.
        [[maybe_unused]] const ssize_t written =
            ::write(STDERR_FILENO, text, bytes < sizeof(text) ? bytes : sizeof(text) - 1);
    }
    std::abort();
}

}  // namespace latmon
