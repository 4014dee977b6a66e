// SPDX-License-Identifier: Apache-2.0
//
// Claims about the parts that the simulated targets are made of: their sequence numbers, the order
// in which delayed replies leave, and the reply itself.
#include "loadgen/delay_queue.hpp"
#include "loadgen/sequence_table.hpp"
#include "loadgen/stamp_reply.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <array>

namespace latmon::loadgen {
namespace {

TEST_CASE("sequence_table: everybody counts from 0, apart by address, target, port and SSID") {
    SequenceTable table(1'024);
    const ProberKey key{.source_address = 1, .target_address = 2, .source_port = 3, .ssid = 4};
    std::array<ProberKey, 5> keys{key, key, key, key, key};
    keys[1].source_address = 9;
    keys[2].target_address = 9;
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
        CHECK(table.next({.source_port = port}) == 0);
    }
    CHECK(table.next({.source_port = 1}) == 1);
    CHECK(table.next({.source_port = 9}) == 0);  // In the place of 2.
    CHECK(table.evictions() == 1);
    CHECK(table.next({.source_port = 1}) == 2);
    CHECK(table.next({.source_port = 2}) == 0);  // Begins anew.
}

TEST_CASE("sequence_table: consecutive targets are spread, so that sized tables do not evict") {
    SequenceTable table(65'536);
    for (std::uint32_t round = 0; round < 2; ++round) {
        for (std::uint32_t target = 0; target < 5'000; ++target) {
            CHECK(table.next({.source_address = 0x0100'007f,
                              .target_address = target << 24U | target >> 8U,
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

TEST_CASE("stamp_reply: a reply echoes the request, is as long, and is never answered again") {
    constexpr WallTime now{1'800'000'000'000'000'000};
    const SenderPacket request{.sequence = 7, .t1 = to_ntp(now), .error_estimate = 1, .ssid = 9};
    std::array<std::byte, 60> packet{};
    encode_sender(request, std::span(packet).first<limits::stamp_base_bytes>());
    REQUIRE(read_request(packet, now) == request);

    const WallTime t3 = now + Duration{5};
    write_reply(packet, request, 3, {.t2 = now, .t3 = t3, .ttl = 64});
    const std::optional<ReflectorPacket> reply = decode_reflector(packet);
    REQUIRE(reply);
    CHECK(reply->sequence == 3);
    CHECK(reply->sender_sequence == 7);
    CHECK(reply->sender_t1 == request.t1);
    CHECK(reply->ssid == 9);
    CHECK(reply->t2 == to_ntp(now));
    CHECK(reply->t3 == to_ntp(t3));
    CHECK(reply->sender_ttl == 64);
    CHECK_FALSE(read_request(packet, now));
}

TEST_CASE("stamp_reply: less than 44 octets is no request") {
    const std::array<std::byte, 43> packet{};
    CHECK_FALSE(read_request(packet, WallTime{}));
}

}  // namespace
}  // namespace latmon::loadgen
