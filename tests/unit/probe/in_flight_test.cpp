// SPDX-License-Identifier: Apache-2.0
//
// The table of flights, across wrap-around of its slots and of the sequence numbers.
#include "probe/in_flight.hpp"

#include <doctest/doctest.h>
#include <vector>

namespace latmon {

TEST_CASE("in_flight: numbers grow by one, and each is found until its slot comes round again") {
    std::vector<Flight> slots(8);
    InFlight table(slots);
    for (std::uint32_t number = 0; number < 100; ++number) {
        Flight& flight = table.begin();
        CHECK(flight.sequence == number);
        CHECK(table.find(number) == &flight);
        table.end(flight, Flight::State::answered);
        if (number >= 8) CHECK(table.find(number - 8) == nullptr);
        if (number >= 7) CHECK(table.find(number - 7) != nullptr);
    }
    CHECK(table.find(100) == nullptr);
}

TEST_CASE("in_flight: the oldest is the first that is still outstanding") {
    std::vector<Flight> slots(16);
    InFlight table(slots);
    CHECK(table.oldest() == nullptr);
    std::vector<Flight*> flights;
    for (int count = 0; count < 6; ++count)
        flights.push_back(&table.begin());
    table.end(*flights[1], Flight::State::answered);
    CHECK(table.oldest() == flights[0]);
    table.end(*flights[0], Flight::State::lost);
    CHECK(table.oldest() == flights[2]);
    CHECK(table.outstanding() == 4);
    for (const std::size_t index : {2U, 3U, 4U, 5U}) {
        table.end(*flights[index], Flight::State::answered);
    }
    CHECK(table.oldest() == nullptr);
    CHECK(table.oldest() == nullptr);
    Flight& next = table.begin();
    CHECK(table.oldest() == &next);
}

TEST_CASE("in_flight: the oldest is found though nobody asked for rounds of the table") {
    std::vector<Flight> slots(16);
    InFlight table(slots);
    for (int count = 0; count < 40; ++count)
        table.end(table.begin(), Flight::State::answered);
    Flight& oldest = table.begin();
    for (int count = 0; count < 7; ++count)
        table.end(table.begin(), Flight::State::answered);
    table.begin();
    CHECK(table.oldest() == &oldest);
}

}  // namespace latmon
