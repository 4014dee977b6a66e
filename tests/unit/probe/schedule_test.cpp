// SPDX-License-Identifier: Apache-2.0
//
// Slots never drift, and a stall costs exactly the slots that it lasted.
#include "probe/schedule.hpp"

#include <doctest/doctest.h>

namespace latmon {

TEST_CASE("schedule: slot n is at the first plus n intervals, however late each one fires") {
    const Instant first{1'000'000};
    const Duration interval = Duration::from_us(700);
    Schedule schedule(first, interval);
    for (std::int64_t slot = 0; slot < 100'000; ++slot) {
        REQUIRE(schedule.next() == first + interval * slot);
        const Duration late{(slot * 7'919) % interval.ns};
        REQUIRE(schedule.advance(schedule.next() + late) == 0);
    }
}

TEST_CASE("schedule: slots that passed while we were away are missed, and the grid stays") {
    Schedule schedule(Instant{0}, Duration::from_ms(1));
    CHECK(schedule.advance(Instant{5'000'000'000}) == 5'000);
    CHECK(schedule.next() == Instant{5'001'000'000});
    CHECK(schedule.advance(Instant{5'001'999'999}) == 0);
    CHECK(schedule.next() == Instant{5'002'000'000});
    CHECK(schedule.advance(Instant{5'003'000'000}) == 1);
    CHECK(schedule.next() == Instant{5'004'000'000});
}

}  // namespace latmon
