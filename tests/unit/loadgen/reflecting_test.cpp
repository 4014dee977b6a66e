// SPDX-License-Identifier: Apache-2.0
//
// Claims about the parts that the simulated targets are made of: their sequence numbers, and the
// order in which delayed replies leave.
#include "loadgen/delay_queue.hpp"
#include "loadgen/sequence_table.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <array>

namespace latmon::loadgen {
namespace {

TEST_CASE("sequence_table: everybody counts from 0, apart by address, target, port and SSID") {
    SequenceTable table(1'024);
    const ProberKey key{.source = {1}, .target = 2, .source_port = 3, .ssid = 4};
    std::array<ProberKey, 5> keys{key, key, key, key, key};
    keys[1].source[15] = 9;
    keys[2].target = 9;
    keys[3].source_port = 9;
    keys[4].ssid = 9;
    for (std::uint32_t round = 0; round < 3; ++round) {
        for (const ProberKey& each : keys) {
            CHECK(table.next(each) == round);
        }
    }
    CHECK(table.evictions() == 0);
}

TEST_CASE("sequence_table: in a full set the longest silent gives way") {
    SequenceTable table(8);  // One set.
    for (std::uint16_t port = 1; port <= 8; ++port) {
        CHECK(table.next({.source = {}, .source_port = port}) == 0);
    }
    CHECK(table.next({.source = {}, .source_port = 1}) == 1);
    CHECK(table.next({.source = {}, .source_port = 9}) == 0);  // In the place of 2.
    CHECK(table.evictions() == 1);
    CHECK(table.next({.source = {}, .source_port = 1}) == 2);
    CHECK(table.next({.source = {}, .source_port = 2}) == 0);  // Begins anew.
}

TEST_CASE("sequence_table: consecutive targets are spread, so that sized tables do not evict") {
    SequenceTable table(65'536);
    for (std::uint32_t round = 0; round < 2; ++round) {
        for (std::uint32_t target = 0; target < 5'000; ++target) {
            CHECK(table.next({.source = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1},
                              .target = target,
                              .source_port = static_cast<std::uint16_t>(32'768 + target)}) ==
                  round);
        }
    }
    CHECK(table.evictions() == 0);
}

std::array<std::byte, 1> one_octet(int value) {
    return {static_cast<std::byte>(value)};
}

TEST_CASE("delay_queue: gives out by due time, and in order of arrival at one time") {
    DelayQueue queue(8);
    REQUIRE(queue.push(Instant{30}, one_octet(3), {}));
    REQUIRE(queue.push(Instant{10}, one_octet(1), {}));
    REQUIRE(queue.push(Instant{30}, one_octet(4), {}));
    REQUIRE(queue.push(Instant{20}, one_octet(2), {}));
    for (int expected = 1; expected <= 4; ++expected) {
        CHECK(queue.next_due() == Instant{std::min(expected, 3) * 10});
        CHECK(queue.pop().data.front() == static_cast<std::byte>(expected));
    }
    CHECK(queue.is_empty());
}

TEST_CASE("delay_queue: is bounded, and has room again when something has left") {
    DelayQueue queue(2);
    CHECK(queue.push(Instant{1}, one_octet(1), {}));
    CHECK(queue.push(Instant{2}, one_octet(2), {}));
    CHECK_FALSE(queue.push(Instant{3}, one_octet(3), {}));
    CHECK(queue.size() == 2);
    (void)queue.pop();
    CHECK(queue.push(Instant{3}, one_octet(3), {}));
    CHECK(queue.pop().data.front() == std::byte{2});
}

}  // namespace
}  // namespace latmon::loadgen
