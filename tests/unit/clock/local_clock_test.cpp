// SPDX-License-Identifier: Apache-2.0
//
// How what is known of the clock ages.
#include "clock/local_clock.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

constexpr Instant as_of{1'000'000'000};

LocalClock known() {
    LocalClock local;
    local.is_synchronized = true;
    local.error = Duration::from_us(10);
    local.as_of = as_of;
    local.valid_until = as_of + Duration::from_s(3);
    return local;
}

TEST_CASE("local_clock: nothing is claimed by default") {
    CHECK_FALSE(LocalClock{}.is_synchronized_at(Instant{0}));
    CHECK(LocalClock{}.error_at(Instant{0}) == Duration::from_s(16));
}

TEST_CASE("local_clock: a claim ends when nobody renews it") {
    CHECK(known().is_synchronized_at(as_of + Duration::from_s(3) - Duration{1}));
    CHECK_FALSE(known().is_synchronized_at(as_of + Duration::from_s(3)));
}

TEST_CASE("local_clock: the bound grows by 100 ppm from its moment on") {
    CHECK(known().error_at(as_of) == Duration::from_us(10));
    CHECK(known().error_at(as_of - Duration::from_s(1)) == Duration::from_us(10));
    CHECK(known().error_at(as_of + Duration::from_s(1)) == Duration::from_us(110));
}

}  // namespace
}  // namespace latmon
