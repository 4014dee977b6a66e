// SPDX-License-Identifier: Apache-2.0
//
// When a change of the wall clock counts as a step, by a clock whose hands the test moves.
#include "clock/wall_watch.hpp"

#include "base/limits.hpp"

#include <doctest/doctest.h>
#include <initializer_list>

namespace latmon {
namespace {

class ManualClock final : public Clock {
public:
    [[nodiscard]] Instant now() const noexcept override { return Instant{raw_.ns}; }
    [[nodiscard]] RawInstant raw_now() const noexcept override { return raw_; }
    [[nodiscard]] WallTime wall_now() const noexcept override { return wall_; }

    // Time passes, and the wall clock sees `slip` more of it.
    void pass(Duration time, Duration slip = {}) noexcept {
        raw_ = raw_ + time;
        wall_ = wall_ + time + slip;
    }

private:
    RawInstant raw_{1'000'000'000};
    WallTime wall_{1'768'219'134'000'000'000};
};

constexpr Duration allowance{limits::clock_step_ns};
constexpr Duration turn = Duration::from_us(100);

TEST_CASE("wall_watch: clocks that run side by side are no step, however long") {
    ManualClock clock;
    WallWatch watch(clock);
    for (const Duration time : {Duration{0}, turn, Duration::from_s(86'400)}) {
        clock.pass(time);
        CHECK_FALSE(watch.look());
    }
    CHECK_FALSE(watch.stepped_since(RawInstant{0}));
}

TEST_CASE("wall_watch: a jump beyond the allowance is a step, in both directions") {
    for (const Duration jump : {allowance + turn, Duration::from_s(-3'600)}) {
        ManualClock clock;
        WallWatch watch(clock);
        clock.pass(turn, jump);
        CHECK(watch.look());
        CHECK(watch.stepped_since(RawInstant{0}));
    }
}

TEST_CASE("wall_watch: a jump of just the allowance is none") {
    ManualClock clock;
    WallWatch watch(clock);
    clock.pass(Duration{0}, allowance);
    CHECK_FALSE(watch.look());
    clock.pass(Duration{0}, -allowance);
    CHECK_FALSE(watch.look());
    clock.pass(Duration{0}, allowance + Duration{1});
    CHECK(watch.look());
}

TEST_CASE("wall_watch: the slew that NTP may apply is lawful over a long sleep") {
    const Duration sleep = Duration::from_s(60);
    const Duration slew = sleep / 2'000;  // 500 ppm, adjtimex(2).
    ManualClock clock;
    WallWatch watch(clock);
    clock.pass(sleep, slew);
    CHECK_FALSE(watch.look());
    clock.pass(sleep, -slew);
    CHECK_FALSE(watch.look());
    clock.pass(sleep, slew + allowance + Duration{1});
    CHECK(watch.look());
}

TEST_CASE("wall_watch: one step is seen once") {
    ManualClock clock;
    WallWatch watch(clock);
    clock.pass(turn, Duration::from_s(1));
    CHECK(watch.look());
    clock.pass(turn);
    CHECK_FALSE(watch.look());
}

TEST_CASE("wall_watch: small slips do not add up to a step") {
    ManualClock clock;
    WallWatch watch(clock);
    for (int count = 0; count < 100; ++count) {
        clock.pass(turn, allowance / 2);
        CHECK_FALSE(watch.look());
    }
}

TEST_CASE("wall_watch: the step is dated by the look that found it") {
    ManualClock clock;
    WallWatch watch(clock);
    clock.pass(turn, Duration::from_s(1));
    const RawInstant found = clock.raw_now();
    REQUIRE(watch.look());
    clock.pass(turn);
    (void)watch.look();
    CHECK(watch.stepped_since(found - turn));
    CHECK(watch.stepped_since(found));
    CHECK_FALSE(watch.stepped_since(found + Duration{1}));
}

}  // namespace
}  // namespace latmon
