// SPDX-License-Identifier: Apache-2.0
//
// Claims about the grid of slots: it does not drift, it is even, and it deals in turn.
#include "loadgen/slots.hpp"

#include <doctest/doctest.h>

namespace latmon::loadgen {
namespace {

constexpr Instant origin{5'000};

TEST_CASE("slots: a rate that does not divide a second is exact again at every whole second") {
    const SlotGrid grid(origin, 3, 1);
    CHECK(grid.deadline(0) == origin);
    CHECK(grid.deadline(1) == origin + Duration{333'333'333});
    CHECK(grid.deadline(2) == origin + Duration{666'666'666});
    CHECK(grid.deadline(3) == origin + Duration::from_s(1));
    CHECK(grid.deadline(3'000'000'000) == origin + Duration::from_s(1'000'000'000));
}

TEST_CASE("slots: the product of slot and nanoseconds does not overflow within a day of 100 MHz") {
    const std::uint64_t rate = 100'000'000;
    const SlotGrid grid(origin, rate, 1);
    CHECK(grid.deadline(rate * 86'400 + 1) == origin + Duration::from_s(86'400) + Duration{10});
}

TEST_CASE("slots: every sender has the same interval and a phase of its own") {
    const SlotGrid grid(origin, 1'000, 4);
    for (std::uint32_t sender = 0; sender < 4; ++sender) {
        const Instant first = grid.deadline(grid.slot(sender, 0));
        CHECK(first == origin + Duration::from_ms(sender));
        CHECK(grid.deadline(grid.slot(sender, 1)) - first == Duration::from_ms(4));
    }
}

TEST_CASE("slots: sender and sequence name the slot they came from") {
    const SlotGrid grid(origin, 1'000, 7);
    for (std::uint64_t slot = 0; slot < 100; ++slot) {
        CHECK(grid.slot(grid.sender(slot), grid.sequence(slot)) == slot);
    }
}

}  // namespace
}  // namespace latmon::loadgen
