// SPDX-License-Identifier: Apache-2.0
//
// Which words of the kernel are believed.
#include "clock/kernel_clock.hpp"

#include <doctest/doctest.h>
#include <initializer_list>

namespace latmon {
namespace {

KernelClock synchronized_within(Duration error) {
    KernelClock kernel;
    kernel.is_synchronized = true;
    kernel.error_max = error;
    return kernel;
}

TEST_CASE("kernel_clock: a bound that somebody reckoned is believed, if the clock is tended") {
    KernelClock kernel = synchronized_within(Duration::from_us(12'345));
    CHECK(is_believable(kernel));
    kernel.is_synchronized = false;
    CHECK_FALSE(is_believable(kernel));
}

TEST_CASE("kernel_clock: a bound that the kernel made of nothing is not believed") {
    for (const std::int64_t us : {0, 500, 1'000, 64'000, 16'000'000, -7}) {
        CHECK_FALSE(is_believable(synchronized_within(Duration::from_us(us))));
    }
}

TEST_CASE("kernel_clock: reading it never claims a TAI offset of 0") {
    const KernelClock kernel = read_kernel_clock();
    CHECK(kernel.error_max >= Duration{});
    CHECK(kernel.remaining >= Duration{});
    CHECK(kernel.has_tai_offset == (kernel.tai_offset != Duration{}));
}

}  // namespace
}  // namespace latmon
