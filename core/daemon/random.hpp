// SPDX-License-Identifier: Apache-2.0
//
// Values that nobody can guess, for nonces and the keys of hashes. No stream of numbers: each call
// asks the kernel. [any-thread]
#pragma once

#include "base/assert.hpp"

#include <sys/random.h>
#include <type_traits>

namespace latmon {

template <typename Value>
[[nodiscard]] Value random_value() {
    static_assert(std::is_trivially_copyable_v<Value> && sizeof(Value) <= 256);
    Value value{};
    const ssize_t octets = ::getrandom(&value, sizeof(value), 0);
    LATMON_ASSERT(octets == sizeof(value));  // Small requests are never cut, getrandom(2).
    return value;
}

}  // namespace latmon
