// SPDX-License-Identifier: Apache-2.0
//
// What is said about our wall clock: as much as the latest survey bears out, and no more.
#include "probe/own_clock.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

constexpr Instant surveyed{5'000'000'000};
constexpr Duration valid_for = Duration::from_s(60);

LocalClock survey() {
    LocalClock clock;
    clock.is_synchronized = true;
    clock.source = ClockSource::chrony;
    clock.error = Duration::from_us(100);
    clock.as_of = surveyed;
    clock.valid_until = surveyed + valid_for;
    clock.has_tai_offset = true;
    clock.tai_offset = Duration::from_s(37);
    return clock;
}

}  // namespace

TEST_CASE("own_clock: before the first survey nothing is claimed, and the error is 16 s or more") {
    OwnClock clock;
    CHECK(!clock.error_at(surveyed).has_value());
    const ErrorEstimate said = decode_error_estimate(clock.error_estimate(surveyed, false));
    CHECK(!said.is_synchronized);
    CHECK(said.error >= Duration::from_s(16));
}

TEST_CASE("own_clock: a survey is claimed, with an error that grows and is never understated") {
    OwnClock clock;
    clock.set(survey());
    for (std::int64_t ms = 0; ms < 59'000; ms += 7) {
        const Instant now = surveyed + Duration::from_ms(ms);
        const Duration bound = survey().error + Duration{ms * 100};  // 100 ppm.
        CHECK(clock.error_at(now) == bound);
        const ErrorEstimate said = decode_error_estimate(clock.error_estimate(now, false));
        CHECK(said.is_synchronized);
        CHECK(said.error >= bound);
        // Eight bits of multiplier: one part in 128, and 10 ms of drift.
        CHECK(said.error <= bound + bound / 127 + Duration{1'002});
    }
}

TEST_CASE("own_clock: when the survey is too old nothing is claimed any more") {
    OwnClock clock;
    clock.set(survey());
    const Instant end = surveyed + valid_for;
    CHECK(decode_error_estimate(clock.error_estimate(end - Duration{1}, false)).is_synchronized);
    CHECK(clock.error_at(end - Duration{1}).has_value());
    CHECK(!clock.error_at(end).has_value());
    CHECK(!decode_error_estimate(clock.error_estimate(end + Duration::from_ms(10), false))
               .is_synchronized);
    CHECK(!decode_error_estimate(clock.error_estimate(end + Duration::from_s(9), false))
               .is_synchronized);
}

TEST_CASE("own_clock: a step voids the survey at once, the next one restores it") {
    OwnClock clock;
    clock.set(survey());
    CHECK(decode_error_estimate(clock.error_estimate(surveyed, false)).is_synchronized);
    clock.on_step();
    CHECK(!decode_error_estimate(clock.error_estimate(surveyed, false)).is_synchronized);
    CHECK(!decode_error_estimate(clock.error_estimate(surveyed, true)).is_synchronized);
    CHECK(!clock.error_at(surveyed).has_value());
    clock.set(survey());
    CHECK(decode_error_estimate(clock.error_estimate(surveyed, false)).is_synchronized);
    CHECK(clock.error_at(surveyed) == survey().error);
}

TEST_CASE("own_clock: a better survey counts from its first packet on") {
    OwnClock clock;
    LocalClock coarse = survey();
    coarse.error = Duration::from_ms(50);
    clock.set(coarse);
    CHECK(decode_error_estimate(clock.error_estimate(surveyed, false)).error >=
          Duration::from_ms(50));
    clock.set(survey());
    CHECK(decode_error_estimate(clock.error_estimate(surveyed, false)).error <
          Duration::from_ms(1));
}

TEST_CASE("own_clock: both formats say the same error, and which format it is") {
    OwnClock clock;
    clock.set(survey());
    const ErrorEstimate ntp = decode_error_estimate(clock.error_estimate(surveyed, false));
    const ErrorEstimate ptp = decode_error_estimate(clock.error_estimate(surveyed, true));
    CHECK(!ntp.is_ptp);
    CHECK(ptp.is_ptp);
    CHECK(ntp.error == ptp.error);
    CHECK(ntp.is_synchronized);
    CHECK(ptp.is_synchronized);
}

TEST_CASE("own_clock: a moment in a packet is UTC in NTP's format, TAI in PTP's") {
    OwnClock clock;
    clock.set(survey());
    const WallTime time{1'767'225'600'123'456'789};
    CHECK(clock.encode_time(time, false) == to_ntp(time));
    CHECK((clock.encode_time(time, true).bits >> 32U) == 1'767'225'637U);
    CHECK((clock.encode_time(time, true).bits & 0xffff'ffffU) == 123'456'789U);
    CHECK(from_ptp(clock.encode_time(time, true), time, Duration::from_s(37)) == time);
}

}  // namespace latmon
