// SPDX-License-Identifier: Apache-2.0
//
// Claims about when the probes of simulated senders leave.
#include "loadgen/departures.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <vector>

namespace latmon::loadgen {
namespace {

constexpr std::uint64_t rate_per_s = 1'000;
constexpr std::uint32_t senders = 7;
constexpr std::uint64_t slots = 10'000;
constexpr Instant origin{5'000};
constexpr Instant the_end = origin + Duration::from_s(1'000);

const SlotGrid grid(origin, rate_per_s, senders);

DirectionOptions plain() {
    return {.delay = {}, .jitter = {}, .reorder_by = {}, .queue_max = {}};
}

std::vector<Departure> all_of(const DirectionOptions& options, std::uint64_t seed = 7) {
    LinkDirection link(options, senders, seed);
    Departures departures(grid, slots, link);
    std::vector<Departure> taken;
    while (const std::optional<Departure> departure = departures.take(the_end)) {
        taken.push_back(*departure);
    }
    CHECK(departures.is_over());
    return taken;
}

TEST_CASE("departures: without a network every probe leaves in its slot, and not before") {
    LinkDirection link(plain(), senders, 1);
    Departures departures(grid, 3, link);
    for (std::uint64_t slot = 0; slot < 3; ++slot) {
        CHECK(departures.next_due() == grid.deadline(slot));
        CHECK_FALSE(departures.take(grid.deadline(slot) - Duration{1}));
        const std::optional<Departure> departure = departures.take(grid.deadline(slot));
        REQUIRE(departure);
        CHECK(departure->slot == slot);
        CHECK(departure->due == grid.deadline(slot));
        CHECK_FALSE((departure->is_lost || departure->is_doubled));
    }
    CHECK(departures.is_over());
    CHECK_FALSE(departures.take(the_end));
}

TEST_CASE("departures: with jitter all leave, in order of time, and each sender's in its order") {
    DirectionOptions options = plain();
    options.jitter = Duration::from_ms(20);
    options.jitter_shape = JitterShape::exponential;
    const std::vector<Departure> taken = all_of(options);
    REQUIRE(taken.size() == slots);
    CHECK(std::ranges::is_sorted(taken, {}, &Departure::due));
    CHECK_FALSE(std::ranges::is_sorted(taken, {}, &Departure::slot));
    std::vector<std::uint32_t> next(senders, 0);
    for (const Departure& departure : taken) {
        REQUIRE(departure.due >= grid.deadline(departure.slot));
        REQUIRE(grid.sequence(departure.slot) == next[grid.sender(departure.slot)]++);
    }
}

TEST_CASE("departures: the time at which they are taken changes nothing") {
    DirectionOptions options = plain();
    options.loss_percent = 10;
    options.jitter = Duration::from_ms(20);
    const std::vector<Departure> at_once = all_of(options);
    LinkDirection link(options, senders, 7);
    Departures departures(grid, slots, link);
    for (const Departure& expected : at_once) {
        const Instant due = departures.next_due();
        CHECK_FALSE(departures.take(due - Duration{1}));
        const std::optional<Departure> departure = departures.take(due);
        REQUIRE(departure);
        REQUIRE(departure->slot == expected.slot);
        REQUIRE(departure->due == expected.due);
        REQUIRE(departure->is_lost == expected.is_lost);
    }
    CHECK(departures.is_over());
}

TEST_CASE("departures: what is lost is given in its slot, as often as asked, by the seed") {
    DirectionOptions options = plain();
    options.loss_percent = 10;
    options.loss_burst = 3;
    options.jitter = Duration::from_ms(20);
    const std::vector<Departure> taken = all_of(options);
    std::uint64_t lost = 0;
    for (const Departure& departure : taken) {
        if (!departure.is_lost) continue;
        ++lost;
        CHECK(departure.due == grid.deadline(departure.slot));
    }
    CHECK(taken.size() == slots);
    CHECK(lost > 800);
    CHECK(lost < 1'200);
    const auto lost_slots = [&](std::uint64_t seed) {
        std::vector<std::uint64_t> found;
        for (const Departure& departure : all_of(options, seed)) {
            if (departure.is_lost) found.push_back(departure.slot);
        }
        return found;
    };
    CHECK(lost_slots(7) == lost_slots(7));
    CHECK(lost_slots(7) != lost_slots(8));
}

TEST_CASE("departures: probes that are held up are passed by their sender's next ones") {
    DirectionOptions options = plain();
    options.reorder_percent = 10;
    options.reorder_by = Duration::from_ms(senders * 2);
    std::vector<std::uint32_t> latest(senders, 0);
    int passed = 0;
    for (const Departure& departure : all_of(options)) {
        std::uint32_t& before = latest[grid.sender(departure.slot)];
        if (grid.sequence(departure.slot) < before) ++passed;
        before = std::max(before, grid.sequence(departure.slot));
    }
    CHECK(passed > 800);
    CHECK(passed < 1'200);
}

TEST_CASE("departures: duplicates are as many as asked") {
    DirectionOptions options = plain();
    options.duplicate_percent = 10;
    const std::ptrdiff_t doubled =
        std::ranges::count(all_of(options), true, &Departure::is_doubled);
    CHECK(doubled > 800);
    CHECK(doubled < 1'200);
}

}  // namespace
}  // namespace latmon::loadgen
