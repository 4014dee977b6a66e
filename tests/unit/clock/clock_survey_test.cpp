// SPDX-License-Identifier: Apache-2.0
//
// Whose word about the clock is taken, for how long, and what voids it. chronyd is a thread; the
// kernel is this host's, so what it says is only compared.
#include "clock/clock_survey.hpp"

#include "clock/kernel_clock.hpp"
#include "unit/clock/fake_chronyd.hpp"
#include "unit/clock/manual_clock.hpp"

#include <doctest/doctest.h>
#include <atomic>

namespace latmon {
namespace {

using Trust = ClockSurveyOptions::Trust;

const Duration second = Duration::from_s(1);
const Duration operator_error = Duration::from_us(2);

// A machine may be too busy for chronyd's 5 ms: looks again, 11 s later each time.
LocalClock look_patiently(ClockSurvey& survey, ManualClock& clock) {
    LocalClock local = survey.look(clock);
    for (int attempt = 0; attempt < 100 && local.source != ClockSource::chrony; ++attempt) {
        clock.pass(second * 11);
        local = survey.look(clock);
    }
    return local;
}

TEST_CASE("clock_survey: with nobody to trust nothing is claimed") {
    const ManualClock clock;
    const FakeChronyd chronyd;
    ClockSurvey survey(
        {.trust = Trust::none, .operator_error = operator_error, .chrony = chronyd.where()});
    const LocalClock local = survey.look(clock);
    CHECK_FALSE(local.is_synchronized_at(clock.now()));
    CHECK(local.source == ClockSource::none);
    CHECK(local.error == Duration::from_s(16));
    CHECK(chronyd.requests() == 0);
}

TEST_CASE("clock_survey: the operator's word is taken as it is, for three seconds") {
    for (const Trust trust : {Trust::operator_, Trust::automatic}) {
        const ManualClock clock;
        ClockSurvey survey({.trust = trust, .operator_error = operator_error, .chrony = ""});
        const LocalClock local = survey.look(clock);
        CHECK(local.source == ClockSource::operator_);
        CHECK(local.error == operator_error);
        CHECK(local.is_synchronized_at(clock.now()));
        CHECK(local.is_synchronized_at(clock.now() + second * 3 - Duration{1}));
        CHECK_FALSE(local.is_synchronized_at(clock.now() + second * 3));
    }
}

TEST_CASE("clock_survey: an operator who says nothing claims nothing") {
    const ManualClock clock;
    ClockSurvey survey({.trust = Trust::operator_, .operator_error = {}, .chrony = ""});
    CHECK(survey.look(clock).source == ClockSource::none);
}

TEST_CASE("clock_survey: a jump of the clock voids the operator's word for a minute") {
    ManualClock clock;
    ClockSurvey survey({.trust = Trust::operator_, .operator_error = operator_error, .chrony = ""});
    CHECK(survey.look(clock).is_synchronized);
    clock.pass(second, second * 5);
    CHECK_FALSE(survey.look(clock).is_synchronized);
    clock.pass(second * 59);
    CHECK_FALSE(survey.look(clock).is_synchronized);
    clock.pass(second);
    CHECK(survey.look(clock).is_synchronized);
}

TEST_CASE("clock_survey: chronyd's word is its bound") {
    ManualClock clock;
    const FakeChronyd chronyd;
    ClockSurvey survey(
        {.trust = Trust::chrony, .operator_error = operator_error, .chrony = chronyd.where()});
    const LocalClock local = look_patiently(survey, clock);
    REQUIRE(local.source == ClockSource::chrony);
    CHECK(local.is_synchronized_at(clock.now()));
    CHECK(local.error > Duration::from_us(9'277));
    CHECK(local.error < Duration::from_ms(60));  // Had it to be asked often, its source is old.
}

TEST_CASE("clock_survey: chronyd's last word outlives a silence, growing, for thirty seconds") {
    ManualClock clock;
    FakeChronyd chronyd;
    ClockSurvey survey({.trust = Trust::chrony, .operator_error = {}, .chrony = chronyd.where()});
    const LocalClock first = look_patiently(survey, clock);
    REQUIRE(first.source == ClockSource::chrony);
    chronyd.fall_silent();
    clock.pass(second * 20);
    const LocalClock later = survey.look(clock);
    CHECK(later.source == ClockSource::chrony);
    CHECK(later.error_at(clock.now()) == first.error + Duration::from_ms(2));
    clock.pass(second * 10);
    CHECK(survey.look(clock).source == ClockSource::none);
}

TEST_CASE("clock_survey: a chronyd that has lost its source takes its word back") {
    ManualClock clock;
    std::atomic<bool> is_lost = false;
    const FakeChronyd chronyd({.change = [&is_lost](ChronyPacket& packet) {
        if (is_lost) put(packet, chrony_offset::leap, std::uint16_t{3});
    }});
    ClockSurvey survey({.trust = Trust::chrony, .operator_error = {}, .chrony = chronyd.where()});
    REQUIRE(look_patiently(survey, clock).source == ClockSource::chrony);
    is_lost = true;
    // It is heard within 100 attempts, or its word runs out: either way the claim ends.
    clock.pass(second);
    LocalClock local = survey.look(clock);
    for (int attempt = 0; attempt < 2 && local.is_synchronized; ++attempt) {
        clock.pass(second * 11);
        local = survey.look(clock);
    }
    CHECK_FALSE(local.is_synchronized);
}

TEST_CASE("clock_survey: after a jump chronyd's word waits for its source to be heard again") {
    ManualClock clock;
    std::atomic<std::uint32_t> later_s = 0;
    const FakeChronyd chronyd({.change = [&later_s](ChronyPacket& packet) {
        put(packet, chrony_offset::time_low,
            static_cast<std::uint32_t>(chrony_reference_s) + later_s.load());
    }});
    ClockSurvey survey({.trust = Trust::chrony, .operator_error = {}, .chrony = chronyd.where()});
    REQUIRE(look_patiently(survey, clock).source == ClockSource::chrony);
    clock.pass(second, second * 5);
    CHECK_FALSE(survey.look(clock).is_synchronized);
    for (int attempt = 0; attempt < 5; ++attempt) {
        clock.pass(second * 11);
        CHECK_FALSE(survey.look(clock).is_synchronized);
    }
    later_s = 10'000;
    CHECK(look_patiently(survey, clock).source == ClockSource::chrony);
}

TEST_CASE("clock_survey: automatic is chronyd where it answers, else the kernel") {
    ManualClock clock;
    FakeChronyd chronyd;
    ClockSurvey survey(
        {.trust = Trust::automatic, .operator_error = {}, .chrony = chronyd.where()});
    CHECK(look_patiently(survey, clock).source == ClockSource::chrony);
    chronyd.fall_silent();
    clock.pass(second * 31);
    const bool is_believed = is_believable(read_kernel_clock());
    const LocalClock local = survey.look(clock);
    CHECK(local.source == (is_believed ? ClockSource::kernel : ClockSource::none));
}

TEST_CASE("clock_survey: the kernel's word is believed if it can be") {
    const ManualClock clock;
    ClockSurvey survey({.trust = Trust::kernel, .operator_error = {}, .chrony = ""});
    const KernelClock kernel = read_kernel_clock();
    const LocalClock local = survey.look(clock);
    CHECK(local.is_synchronized == is_believable(kernel));
    if (local.is_synchronized) CHECK(local.error >= kernel.error_max);
    CHECK(local.has_tai_offset == kernel.has_tai_offset);
    CHECK(local.tai_offset == kernel.tai_offset);
}

}  // namespace
}  // namespace latmon
