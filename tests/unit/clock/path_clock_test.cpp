// SPDX-License-Identifier: Apache-2.0
//
// What a path's exchanges prove of its one-way delays, one claim at a time. All of them together,
// at random: path_clock_simulation_test.cpp.
#include "clock/path_clock.hpp"

#include "unit/clock/path_model.hpp"

#include <doctest/doctest.h>
#include <cstdlib>
#include <initializer_list>
#include <optional>

namespace latmon {
namespace {

constexpr std::int64_t drift_ppb = 200'000;
constexpr int enough = 30;  // Exchanges for an estimate.
constexpr Duration us = Duration::from_us(1);
constexpr Duration ms = Duration::from_ms(1);
const ClockClaims nothing;

ClockClaims claims(Duration local, Duration remote, bool is_trusted) {
    return {.local_error = local, .remote_error = remote, .is_remote_trusted = is_trusted};
}

// `count` exchanges, `every` apart; the last one's judgement.
OneWayDelays settle(PathClock& clock, PathModel& path, int count, Duration every = ms) {
    OneWayDelays last;
    for (int index = 0; index < count; ++index) {
        path.pass(every);
        last = clock.judge(path.exchange(us * 20, us * 20), nothing);
    }
    return last;
}

void check_bounds(const OneWayDelays& delays, Duration forward, Duration reverse) {
    CHECK(delays.has_bounds);
    CHECK(delays.forward_lo <= forward);
    CHECK(forward <= delays.forward_hi);
    CHECK(delays.reverse_lo <= reverse);
    CHECK(reverse <= delays.reverse_hi);
}

bool is_near(Duration value, Duration wanted, Duration tolerance) {
    return std::abs((value - wanted).ns) <= tolerance.ns;
}

TEST_CASE("path_clock: few exchanges tell changes alone") {
    PathClock clock(drift_ppb);
    PathModel path;
    path.peer_minus_raw = path.wall_minus_raw - ms * 3;
    const OneWayDelays first = settle(clock, path, enough - 1);
    CHECK(first.owd_class == OwdClass::relative);
    CHECK(first.has_values);
    CHECK_FALSE(first.has_bounds);
    CHECK(first.forward == us * 20 - ms * 3);
    CHECK(first.reverse == us * 20 + ms * 3);
    CHECK(settle(clock, path, 1).owd_class == OwdClass::estimated);
}

TEST_CASE("path_clock: an estimate lies within its bounds, which are as wide as the path is long") {
    PathClock clock(drift_ppb);
    PathModel path;
    path.peer_minus_raw = path.wall_minus_raw + Duration::from_s(1);
    const OneWayDelays last = settle(clock, path, 100);
    REQUIRE(last.owd_class == OwdClass::estimated);
    check_bounds(last, us * 20, us * 20);
    CHECK(is_near(last.forward, us * 20, us / 10));
    CHECK(is_near(last.reverse, us * 20, us / 10));
    CHECK((last.forward_hi - last.forward_lo) < us * 42);
}

TEST_CASE("path_clock: exchanges that were quick on one way each narrow the bounds together") {
    PathClock clock(0);
    PathModel path;
    OneWayDelays last;
    for (int index = 0; index < enough; ++index) {
        path.pass(ms);
        last = clock.judge(
            path.exchange(us * (index % 2 == 0 ? 5 : 500), us * (index % 2 == 0 ? 500 : 5)),
            nothing);
    }
    check_bounds(last, us * 500, us * 5);
    CHECK(last.reverse_hi <= us * 11);
}

TEST_CASE("path_clock: old exchanges count for less by what the clocks may have drifted") {
    PathClock clock(drift_ppb);
    PathModel path;
    settle(clock, path, enough);
    const OffsetReading before = clock.read(path.now, path.wall_minus_raw);
    path.pass(Duration::from_s(100));
    const OffsetReading after = clock.read(path.now, path.wall_minus_raw);
    const Duration drift = Duration::from_s(100) / 5'000;
    CHECK(is_near(before.offset_lo - after.offset_lo, drift, us));
    CHECK(is_near(after.offset_hi - before.offset_hi, drift, us));
}

TEST_CASE("path_clock: many short ages widen no more than one long one") {
    PathClock slow(1);
    PathModel path;
    PathModel often = path;
    PathClock fast(1);
    // One quick exchange, then slow ones that add nothing: 10^6 times 1 us at 10^-9 is 1 fs each.
    (void)slow.judge(path.exchange(us, us), nothing);
    (void)fast.judge(often.exchange(us, us), nothing);
    for (int index = 0; index < 1'000'000; ++index) {
        often.pass(us);
        (void)fast.judge(often.exchange(ms, ms), nothing);
    }
    path.pass(Duration::from_s(1));
    (void)slow.judge(path.exchange(ms, ms), nothing);
    CHECK(fast.read(path.now, path.wall_minus_raw).offset_lo ==
          slow.read(path.now, path.wall_minus_raw).offset_lo);
    CHECK(fast.read(path.now, path.wall_minus_raw).offset_hi ==
          slow.read(path.now, path.wall_minus_raw).offset_hi);
}

TEST_CASE("path_clock: clocks that claim their bounds narrow the delays") {
    PathClock clock(drift_ppb);
    PathModel path;
    path.peer_minus_raw = path.wall_minus_raw + us * 2;
    const OneWayDelays delays = clock.judge(path.exchange(ms, ms * 2), claims(us, us * 2, true));
    CHECK(delays.owd_class == OwdClass::bounded);
    CHECK(delays.has_values);
    check_bounds(delays, ms, ms * 2);
    CHECK(delays.forward_hi - delays.forward_lo <= us * 8);
    CHECK(is_near(delays.reverse, ms * 2, us * 6));
}

TEST_CASE("path_clock: bounds of a delay are never negative nor beyond the round trip") {
    PathClock clock(drift_ppb);
    const PathModel path;
    const OneWayDelays delays =
        clock.judge(path.exchange(us * 30, us * 40), claims(ms * 10, ms * 10, true));
    CHECK(delays.owd_class == OwdClass::bounded);
    CHECK(delays.forward_lo == Duration{});
    CHECK(delays.reverse_lo == Duration{});
    CHECK(is_near(delays.forward_hi, us * 70, us));
    CHECK(is_near(delays.reverse_hi, us * 70, us));
}

TEST_CASE("path_clock: a claim is worth nothing unless both are made and the peer is trusted") {
    for (const ClockClaims& claim :
         {claims(us, us, false),
          ClockClaims{.local_error = us, .remote_error = std::nullopt, .is_remote_trusted = true},
          ClockClaims{.local_error = std::nullopt, .remote_error = us, .is_remote_trusted = true},
          claims(us, Duration{INT64_MAX}, true)}) {
        PathClock clock(drift_ppb);
        PathModel path;
        settle(clock, path, enough);
        const OneWayDelays delays = clock.judge(path.exchange(us * 20, us * 20), claim);
        CHECK(delays.owd_class == OwdClass::estimated);
        CHECK(clock.falsified() == 0);
    }
}

TEST_CASE("path_clock: a claim that causality contradicts is falsified at once, trusted or not") {
    for (const bool is_trusted : {true, false}) {
        for (const std::int64_t sign : {1, -1}) {
            PathClock clock(drift_ppb);
            PathModel path;
            path.peer_minus_raw = path.wall_minus_raw + ms * 3 * sign;
            const OneWayDelays delays =
                clock.judge(path.exchange(us * 20, us * 20), claims(us * 25, us * 25, is_trusted));
            CHECK(delays.owd_class == OwdClass::falsified);
            CHECK_FALSE(delays.has_values);
            check_bounds(delays, us * 20, us * 20);
            CHECK(clock.falsified() == 1);
        }
    }
}

TEST_CASE("path_clock: drift while an exchange is under way does not excuse a claim") {
    PathClock clock(100'000'000);
    PathModel path;
    path.turnaround = Duration::from_s(1);
    path.peer_minus_raw = path.wall_minus_raw - ms * 3;
    const OneWayDelays ahead = clock.judge(path.exchange(us, us), claims(us * 25, us * 25, true));
    CHECK(ahead.owd_class == OwdClass::falsified);
    clock.reset();
    path.peer_minus_raw = path.wall_minus_raw + ms * 3;
    const OneWayDelays behind = clock.judge(path.exchange(us, us), claims(us * 25, us * 25, true));
    CHECK(behind.owd_class == OwdClass::falsified);
}

TEST_CASE("path_clock: what one exchange leaves open, the window contradicts") {
    PathClock clock(drift_ppb);
    PathModel path;
    path.peer_minus_raw = path.wall_minus_raw + ms * 3;
    settle(clock, path, enough);
    path.pass(ms);
    const OneWayDelays delays =
        clock.judge(path.exchange(ms * 10, ms * 10), claims(us * 25, us * 25, true));
    CHECK(delays.owd_class == OwdClass::falsified);
}

TEST_CASE("path_clock: a clock that was caught is not believed because of one slow exchange") {
    PathClock clock(drift_ppb);
    PathModel path;
    const ClockClaims lie = claims(us * 25, us * 25, true);
    path.peer_minus_raw = path.wall_minus_raw + ms * 3;
    REQUIRE(clock.judge(path.exchange(us, us), lie).owd_class == OwdClass::falsified);
    // So long after that the window alone would allow it.
    path.pass(Duration::from_s(600));
    CHECK(clock.judge(path.exchange(ms * 10, ms * 10), lie).owd_class == OwdClass::falsified);
    CHECK(clock.judge(path.exchange(ms * 10, ms * 10), nothing).owd_class == OwdClass::relative);
    CHECK(clock.judge(path.exchange(ms * 10, ms * 10), lie).owd_class == OwdClass::falsified);
    CHECK(clock.falsified() == 3);
    clock.reset();
    CHECK(clock.judge(path.exchange(ms * 10, ms * 10), lie).owd_class == OwdClass::bounded);
}

TEST_CASE("path_clock: a clock that was caught and then set right is believed again") {
    PathClock clock(drift_ppb);
    PathModel path;
    const ClockClaims claim = claims(us * 25, us * 25, true);
    path.peer_minus_raw = path.wall_minus_raw + ms * 3;
    REQUIRE(clock.judge(path.exchange(us, us), claim).owd_class == OwdClass::falsified);
    path.pass(ms);
    path.peer_minus_raw = path.wall_minus_raw;
    CHECK(clock.judge(path.exchange(us, us), claim).owd_class == OwdClass::bounded);
    CHECK(clock.contradictions() == 1);
    CHECK(clock.resets() == 1);
}

TEST_CASE("path_clock: a step of the peer's clock starts everything again") {
    PathClock clock(drift_ppb);
    PathModel path;
    settle(clock, path, 100);
    path.peer_minus_raw = path.peer_minus_raw - ms;
    const OneWayDelays delays = settle(clock, path, 1);
    CHECK(delays.owd_class == OwdClass::relative);
    CHECK(clock.contradictions() == 1);
    const OneWayDelays later = settle(clock, path, enough - 1);
    CHECK(later.owd_class == OwdClass::estimated);
    check_bounds(later, us * 20, us * 20);
}

TEST_CASE("path_clock: a slew of our own wall clock moves nothing") {
    PathClock clock(drift_ppb);
    PathModel path;
    OneWayDelays last = settle(clock, path, enough);
    for (int second = 0; second < 100; ++second) {
        path.wall_minus_raw = path.wall_minus_raw + us * 500;
        last = settle(clock, path, 10, ms * 100);
        check_bounds(last, us * 20, us * 20);
        CHECK(is_near(last.forward, us * 20, us));
    }
    CHECK(clock.contradictions() == 0);
    CHECK(is_near(clock.read(path.now, path.wall_minus_raw).offset, -(ms * 50), us * 2));
}

TEST_CASE("path_clock: a queue on one way raises that way's delay and leaves the other's alone") {
    constexpr Duration queue = ms * 50;
    for (const bool is_forward : {true, false}) {
        PathClock clock(drift_ppb);
        PathModel path;
        path.skew_ppb = 37'000;
        path.peer_minus_raw = path.wall_minus_raw + ms * 700;
        settle(clock, path, 120, Duration::from_s(1));
        for (int second = 0; second < 120; ++second) {
            path.pass(Duration::from_s(1));
            const Duration forward = us * 20 + (is_forward ? queue : Duration{});
            const Duration reverse = us * 20 + (is_forward ? Duration{} : queue);
            const OneWayDelays delays = clock.judge(path.exchange(forward, reverse), nothing);
            REQUIRE(delays.owd_class == OwdClass::estimated);
            check_bounds(delays, forward, reverse);
            CHECK(is_near(delays.forward, forward, us * 60));
            CHECK(is_near(delays.reverse, reverse, us * 60));
        }
    }
}

TEST_CASE("path_clock: offset and skew are read off the best exchanges") {
    PathClock clock(drift_ppb);
    PathModel path;
    path.skew_ppb = -80'000;
    path.peer_minus_raw = path.wall_minus_raw + ms * 5;
    settle(clock, path, 6'000, ms * 10);
    const OffsetReading reading = clock.read(path.now, path.wall_minus_raw);
    REQUIRE(reading.has_bounds);
    REQUIRE(reading.has_estimate);
    CHECK(std::abs(reading.skew_ppb + 80'000) < 200);
    CHECK(is_near(reading.offset, path.theta(), us));
    CHECK(reading.offset_lo <= path.theta());
    CHECK(path.theta() <= reading.offset_hi);
    CHECK(reading.residual < us);
}

TEST_CASE("path_clock: nothing is read before the first exchange, or a day after the last") {
    PathClock clock(drift_ppb);
    PathModel path;
    CHECK_FALSE(clock.read(path.now, path.wall_minus_raw).has_bounds);
    settle(clock, path, 1);
    CHECK(clock.read(path.now, path.wall_minus_raw).has_bounds);
    CHECK_FALSE(clock.read(path.now, path.wall_minus_raw).has_estimate);
    path.pass(Duration::from_s(86'401));
    CHECK_FALSE(clock.read(path.now, path.wall_minus_raw).has_bounds);
    settle(clock, path, 1);
    CHECK(clock.resets() == 1);
    CHECK(clock.contradictions() == 0);
}

TEST_CASE("path_clock: reset forgets all but the counters") {
    PathClock clock(drift_ppb);
    PathModel path;
    settle(clock, path, enough);
    path.peer_minus_raw = path.peer_minus_raw + Duration::from_s(1);
    clock.reset();
    CHECK_FALSE(clock.read(path.now, path.wall_minus_raw).has_bounds);
    CHECK(settle(clock, path, 1).owd_class == OwdClass::relative);
    CHECK(clock.contradictions() == 0);
    CHECK(clock.resets() == 1);
}

TEST_CASE("path_clock: the uncertainty of stamps is in the bounds") {
    PathClock clock(0);
    PathModel path;
    // Delays of 0, and stamps that make them negative.
    PathStamps stamps = path.exchange(Duration{}, Duration{});
    stamps.uncertainty = us;
    stamps.t1 = stamps.t1 + us;
    stamps.t4 = stamps.t4 + us;
    const OneWayDelays delays = clock.judge(stamps, claims(Duration{}, Duration{}, true));
    CHECK(delays.owd_class == OwdClass::bounded);
    check_bounds(delays, Duration{}, Duration{});
}

TEST_CASE("path_clock: old exchanges are seen through a mapping that is uncertain now") {
    for (const Duration error : {us, -us}) {
        PathClock clock(0);
        PathModel path;
        (void)clock.judge(path.exchange(Duration{}, Duration{}), nothing);
        PathStamps stamps = path.exchange(us * 20, us * 20);
        stamps.wall_minus_raw = stamps.wall_minus_raw + error;
        stamps.uncertainty = us;
        (void)clock.judge(stamps, nothing);
        const OffsetReading reading = clock.read(stamps.at, stamps.wall_minus_raw);
        CHECK(reading.offset_lo <= path.theta());
        CHECK(path.theta() <= reading.offset_hi);
        CHECK(reading.offset_hi - reading.offset_lo < us * 3);
    }
}

TEST_CASE("path_clock: replies that were read out of order do no harm") {
    PathClock clock(drift_ppb);
    PathModel path;
    path.skew_ppb = 200'000;
    settle(clock, path, enough);
    const PathStamps early = path.exchange(us * 20, us * 20);
    path.pass(Duration::from_s(1));
    const PathStamps late = path.exchange(us * 20, us * 20);
    check_bounds(clock.judge(late, nothing), us * 20, us * 20);
    check_bounds(clock.judge(early, nothing), us * 20, us * 20);
    CHECK(clock.contradictions() == 0);
}

}  // namespace
}  // namespace latmon
