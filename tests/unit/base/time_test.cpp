// SPDX-License-Identifier: Apache-2.0
//
// The time types: what mixes and what does not, the arithmetic, and OsClock with its seam. Nothing
// here depends on how fast the machine is.
#include "base/time.hpp"

#include <doctest/doctest.h>
#include <type_traits>

namespace latmon {
namespace {

template <typename Left, typename Right>
concept Subtractable = requires(Left left, Right right) {
    left - right;
};
template <typename Left, typename Right>
concept Addable = requires(Left left, Right right) {
    left + right;
};
template <typename Left, typename Right>
concept Comparable = requires(Left left, Right right) {
    left < right;
};

TEST_CASE("time: readings of two clocks neither subtract nor compare nor convert") {
    CHECK(Subtractable<Instant, Instant>);
    CHECK_FALSE(Subtractable<Instant, WallTime>);
    CHECK_FALSE(Subtractable<RawInstant, Instant>);
    CHECK_FALSE(Comparable<Instant, RawInstant>);
    CHECK_FALSE(Comparable<WallTime, Instant>);
    CHECK_FALSE(std::is_convertible_v<Instant, WallTime>);
    CHECK_FALSE(std::is_convertible_v<std::int64_t, Instant>);
    CHECK_FALSE(std::is_convertible_v<std::int64_t, Duration>);
}

TEST_CASE("time: two readings do not add up, a reading and a duration do") {
    CHECK_FALSE(Addable<Instant, Instant>);
    CHECK(Addable<Instant, Duration>);
    CHECK(std::is_same_v<decltype(Instant{} - Instant{}), Duration>);
    CHECK(std::is_same_v<decltype(Instant{} - Duration{}), Instant>);
}

TEST_CASE("time: a difference is exact and has a sign") {
    const WallTime early{1'768'219'134'587'069'267};
    const WallTime late{1'768'219'134'587'069'268};
    CHECK((late - early).ns == 1);
    CHECK((early - late).ns == -1);
    CHECK(early + (late - early) == late);
    CHECK(late - (late - early) == early);
    CHECK(early < late);
}

TEST_CASE("time: durations are made of units and keep to whole nanoseconds") {
    CHECK(Duration::from_us(3).ns == 3'000);
    CHECK(Duration::from_ms(-3) == -Duration::from_us(3'000));
    CHECK(Duration::from_s(2) == Duration::from_ms(500) * 4);
    CHECK((Duration{10} / 4).ns == 2);
    CHECK(Duration{10} / Duration{3} == 3);
    CHECK(Duration{-10} / Duration{3} == -3);
    CHECK(Duration{1} + Duration{2} - Duration{4} == Duration{-1});
}

TEST_CASE("time: the monotonic clocks do not run backwards") {
    const OsClock clock;
    const Instant first = clock.now();
    const RawInstant first_raw = clock.raw_now();
    CHECK(clock.now() >= first);
    CHECK(clock.raw_now() >= first_raw);
    CHECK(first.ns > 0);
}

// Reads the true wall clock before and after one reading of `clock`, so that the reading's offset
// is known to lie between two bounds however slow the machine is.
struct OffsetBounds {
    Duration least;
    Duration most;
};

OffsetBounds wall_offset_of(const Clock& clock) {
    const OsClock truth;
    const WallTime before = truth.wall_now();
    const WallTime reading = clock.wall_now();
    const WallTime after = truth.wall_now();
    return {.least = reading - after, .most = reading - before};
}

TEST_CASE("time: the seam's offset moves the wall clock and no other") {
    const Duration lie = Duration::from_s(3'600);
    const OsClock clock({.wall_offset = lie, .wall_step = {}, .wall_step_after = {}});
    const OffsetBounds offset = wall_offset_of(clock);
    CHECK(offset.least <= lie);
    CHECK(offset.most >= lie);

    const OsClock truth;
    const Instant before = truth.now();
    const Instant reading = clock.now();
    CHECK(before <= reading);
    CHECK(reading <= truth.now());
}

TEST_CASE("time: the seam's step comes when it is due, and not before") {
    const Duration step = Duration::from_s(-86'400);
    const Duration never = Duration::from_s(1'000'000);
    const OsClock due({.wall_offset = {}, .wall_step = step, .wall_step_after = {}});
    const OsClock pending({.wall_offset = {}, .wall_step = step, .wall_step_after = never});
    CHECK(wall_offset_of(due).least <= step);
    CHECK(wall_offset_of(due).most >= step);
    CHECK(wall_offset_of(pending).least <= Duration{0});
    CHECK(wall_offset_of(pending).most >= Duration{0});
}

}  // namespace
}  // namespace latmon
