// SPDX-License-Identifier: Apache-2.0
//
// How early a sleep ends, and how much may be spun.
#include "reactor/pacing.hpp"

#include <doctest/doctest.h>

namespace latmon {

TEST_CASE("pacing: power sleeps to the deadline, spin never sleeps") {
    Pacing power(Pacing::Mode::power);
    CHECK(power.margin(Instant{1'000}) == Duration{});
    CHECK(!power.never_sleeps());
    CHECK(Pacing(Pacing::Mode::spin).never_sleeps());
}

TEST_CASE("pacing: balanced wakes earlier the later its wake-ups were, within bounds") {
    Pacing pacing(Pacing::Mode::balanced);
    const Instant now{1'000'000'000};
    for (int wake = 0; wake < 1'000; ++wake)
        pacing.note_wake(Duration::from_us(90));
    CHECK(pacing.margin(now) > Duration::from_us(80));
    CHECK(pacing.margin(now) <= Duration::from_us(90));
    for (int wake = 0; wake < 1'000; ++wake)
        pacing.note_wake(Duration::from_ms(50));
    CHECK(pacing.margin(now) == Duration::from_us(200));
    for (int wake = 0; wake < 10'000; ++wake)
        pacing.note_wake(Duration{});
    CHECK(pacing.margin(now) <= Duration::from_us(5));
}

TEST_CASE("pacing: balanced spins no more than a twentieth of the time") {
    Pacing pacing(Pacing::Mode::balanced);
    Instant now{1'000'000'000};
    Duration spun;
    const Instant end = now + Duration::from_s(10);
    while (now < end) {
        pacing.note_wake(Duration::from_us(100));
        const Duration margin = pacing.margin(now);
        spun = spun + margin;
        pacing.note_spin(margin);
        now = now + Duration::from_us(200);  // 5,000 deadlines a second.
    }
    CHECK(spun <= Duration::from_ms(510));
    CHECK(spun >= Duration::from_ms(450));
}

}  // namespace latmon
