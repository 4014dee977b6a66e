// SPDX-License-Identifier: Apache-2.0
//
// When a change of the wall clock counts as a step, by a clock whose hands the test moves.
#include "clock/wall_watch.hpp"

#include "base/limits.hpp"
#include "unit/clock/manual_clock.hpp"

#include <doctest/doctest.h>
#include <cstdint>
#include <initializer_list>

namespace latmon {
namespace {

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
    CHECK(watch.pair().wall == clock.wall_now());
    CHECK(watch.pair().raw == clock.raw_now());
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

TEST_CASE("wall_watch: a suspend is a jump, and no step") {
    ManualClock clock;
    WallWatch watch(clock);
    clock.pass(turn);
    clock.suspend(Duration::from_s(3'600), allowance / 2);
    CHECK(watch.look());
    CHECK(watch.stepped_since(clock.raw_now()));
    CHECK(watch.suspends() == 1);
    CHECK(watch.steps() == 0);
    CHECK(watch.epoch() == 1);
    clock.pass(turn);
    CHECK_FALSE(watch.look());
    clock.pass(turn, Duration::from_s(3'600));
    CHECK(watch.look());
    CHECK(watch.suspends() == 1);
    CHECK(watch.steps() == 1);
}

TEST_CASE("wall_watch: a suspend from which the clock wakes up wrong is a step as well") {
    ManualClock clock;
    WallWatch watch(clock);
    clock.suspend(Duration::from_s(60), Duration::from_s(-2));
    CHECK(watch.look());
    CHECK(watch.suspends() == 1);
    CHECK(watch.steps() == 1);
    CHECK(watch.epoch() == 1);
}

// Seconds of a clock that runs `rate_ppb` fast, looked at a hundred times in each.
void run(ManualClock& clock, WallWatch& watch, int seconds, std::int64_t rate_ppb) {
    for (int count = 0; count < seconds * 100; ++count) {
        clock.pass(Duration::from_ms(10), Duration{rate_ppb / 100});
        CHECK_FALSE(watch.look());
    }
}

TEST_CASE("wall_watch: a rate that a crystal may have is no slew, whichever it is") {
    for (const std::int64_t rate_ppb : {0, 40'000, -90'000, 100'000}) {
        ManualClock clock;
        WallWatch watch(clock);
        run(clock, watch, 600, rate_ppb);
        CHECK(watch.epoch() == 0);
    }
}

TEST_CASE("wall_watch: a slew beyond 50 ppm is a new epoch every second, until it ends") {
    for (const std::int64_t slew_ppb : {60'000, -60'000, 500'000, -500'000}) {
        ManualClock clock;
        WallWatch watch(clock);
        run(clock, watch, 20, 10'000);
        REQUIRE(watch.epoch() == 0);
        run(clock, watch, 20, 10'000 + slew_ppb);
        CHECK(watch.epoch() >= 19);
        CHECK(watch.epoch() <= 21);
        const std::uint32_t epoch = watch.epoch();
        run(clock, watch, 20, 10'000);
        CHECK(watch.epoch() <= epoch + 1);
        CHECK(watch.steps() == 0);
    }
}

TEST_CASE("wall_watch: a slew within 50 ppm is nobody's concern") {
    ManualClock clock;
    WallWatch watch(clock);
    run(clock, watch, 20, 10'000);
    run(clock, watch, 60, 59'000);
    CHECK(watch.epoch() == 0);
}

TEST_CASE("wall_watch: a slew at start is noticed when it ends, and what follows becomes usual") {
    ManualClock clock;
    WallWatch watch(clock);
    run(clock, watch, 20, 500'000);
    run(clock, watch, 300, 0);
    const std::uint32_t epoch = watch.epoch();
    CHECK(epoch >= 60);
    CHECK(epoch <= 100);
    run(clock, watch, 300, 0);
    CHECK(watch.epoch() == epoch);
}

TEST_CASE("wall_watch: a rate that no crystal has never becomes usual") {
    ManualClock clock;
    WallWatch watch(clock);
    run(clock, watch, 20, 0);
    run(clock, watch, 600, 200'000);
    CHECK(watch.epoch() >= 595);
}

TEST_CASE("wall_watch: one slip below the allowance is one epoch, at the next look") {
    for (const Duration slip : {allowance / 2, -allowance / 2, Duration::from_us(8)}) {
        ManualClock clock;
        WallWatch watch(clock);
        run(clock, watch, 10, 0);
        clock.pass(turn, slip);
        CHECK_FALSE(watch.look());
        CHECK(watch.epoch() == 1);
        run(clock, watch, 10, 0);
        CHECK(watch.epoch() == 1);
        CHECK(watch.steps() == 0);
    }
}

TEST_CASE("wall_watch: what a slew or two CPUs explain is no slip") {
    ManualClock clock;
    WallWatch watch(clock);
    const Duration noise{limits::wall_moved_ns};
    clock.pass(turn, turn / 2'000 + noise);
    CHECK_FALSE(watch.look());
    clock.pass(turn, -(turn / 2'000 + noise));
    CHECK_FALSE(watch.look());
    CHECK(watch.epoch() == 0);
    clock.pass(turn, turn / 2'000 + noise + Duration{1});
    CHECK_FALSE(watch.look());
    CHECK(watch.epoch() == 1);
}

// Whether a stamp taken at the first moment may still be meant when it is read now.
bool is_stale(const WallWatch& watch, WallTime stamp) {
    return watch.may_precede_change(stamp);
}

TEST_CASE("wall_watch: a stamp from before the clock was set is told from those after") {
    for (const Duration jump :
         {Duration::from_us(50), Duration::from_us(-50), Duration::from_ms(7),
          Duration::from_ms(-7), Duration::from_s(3'600), Duration::from_s(-3'600)}) {
        CAPTURE(jump.ns);
        ManualClock clock;
        WallWatch watch(clock);
        clock.pass(turn);
        CHECK_FALSE(is_stale(watch, clock.wall_now() - Duration::from_s(5)));
        const WallTime before = clock.wall_now();
        clock.pass(turn);
        const WallTime just_before = clock.wall_now();
        clock.pass(Duration{0}, jump);
        static_cast<void>(watch.look());
        CHECK(is_stale(watch, before));
        CHECK(is_stale(watch, just_before));
        clock.pass(turn);
        static_cast<void>(watch.look());
        CHECK(is_stale(watch, just_before));
        // Set back, it shows for a while what it has shown before.
        const bool is_ambiguous = jump < -turn;
        CHECK(is_stale(watch, clock.wall_now()) == is_ambiguous);
        if (jump == Duration::from_ms(-7)) {
            clock.pass(Duration::from_ms(7));
            static_cast<void>(watch.look());
            CHECK_FALSE(is_stale(watch, clock.wall_now()));
            CHECK(is_stale(watch, just_before));
        }
        clock.pass(Duration{limits::stale_stamps_ns});
        static_cast<void>(watch.look());
        CHECK_FALSE(is_stale(watch, clock.wall_now()));
    }
}

TEST_CASE("wall_watch: of two changes, stamps from before either are told") {
    ManualClock clock;
    WallWatch watch(clock);
    const WallTime before = clock.wall_now();
    clock.pass(Duration{0}, Duration::from_ms(-20));
    CHECK(watch.look());
    clock.pass(turn, Duration::from_us(30));
    CHECK_FALSE(watch.look());
    CHECK(is_stale(watch, before));
}

TEST_CASE("wall_watch: what the readings leave uncertain is neither a step nor a slew") {
    ManualClock clock;
    WallWatch watch(clock);
    run(clock, watch, 10, 0);
    // Now and then a reading takes 20 ms: the pair is off by half of that, and says so.
    for (int count = 0; count < 500; ++count) {
        clock.reading_takes = Duration::from_ms(count % 3 == 0 ? 20 : 0);
        clock.pass(Duration::from_ms(10));
        CHECK_FALSE(watch.look());
    }
    CHECK(watch.epoch() == 0);
    CHECK(watch.steps() == 0);
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
