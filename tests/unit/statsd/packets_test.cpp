// SPDX-License-Identifier: Apache-2.0
//
// Packets and the pace at which they leave.
#include "statsd/packets.hpp"

#include "statsd/pacer.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::statsd {
namespace {

TEST_CASE("packets: lines fill a packet to its last octet, and no further") {
    Packets packets(11);
    CHECK(packets.add("12345", {.lines = 1, .values = 2}));
    CHECK(packets.add("67890", {.lines = 1, .values = 3}));  // 5 + newline + 5
    CHECK(packets.complete().empty());
    CHECK(packets.add("1", {}));
    REQUIRE(packets.complete().size() == 1);
    CHECK(packets.complete()[0].octets == "12345\n67890");
    CHECK(packets.complete()[0].lines == 2);
    CHECK(packets.complete()[0].values == 5);
}

TEST_CASE("packets: the newline between two lines takes its place") {
    Packets packets(10);
    CHECK(packets.add("12345", {}));
    CHECK(packets.add("67890", {}));
    packets.close();
    REQUIRE(packets.complete().size() == 2);
    CHECK(packets.complete()[0].octets == "12345");
}

TEST_CASE("packets: lines that belong together stay together, and too long ones are refused") {
    Packets packets(11);
    CHECK(packets.add("1234", {}));
    CHECK(packets.add("0|g\n-5|g", {.lines = 2, .values = 0}));
    CHECK_FALSE(packets.add("123456789012", {}));
    packets.close();
    packets.close();
    REQUIRE(packets.complete().size() == 2);
    CHECK(packets.complete()[1].octets == "0|g\n-5|g");
    CHECK(packets.complete()[1].lines == 2);
}

TEST_CASE("packets: what was begun stays when complete ones are forgotten") {
    Packets packets(5);
    for (const char* const line : {"11111", "22222", "333"})
        CHECK(packets.add(line, {}));
    CHECK(packets.complete().size() == 2);
    packets.clear_complete();
    CHECK(packets.complete().empty());
    packets.close();
    REQUIRE(packets.complete().size() == 1);
    CHECK(packets.complete()[0].octets == "333");
    CHECK(packets.complete()[0].lines == 1);
}

TEST_CASE(
    "pacer: a burst may go at once, and then what the rate allows, however often it is asked") {
    constexpr std::int64_t second_ns = 1'000'000'000;
    for (const std::int64_t step_ns : {700, 1'000'003, 40'000'000}) {
        Pacer pacer(1'000'000);
        std::int64_t now_ns = 50 * second_ns;
        std::int64_t sent = 0;
        while (pacer.may_send(1'000, now_ns))
            sent += 1'000;
        CHECK(sent == 32'000);
        const std::int64_t end_ns = now_ns + second_ns / 10;
        sent = 0;
        for (; now_ns < end_ns; now_ns += step_ns) {
            while (pacer.may_send(1'000, now_ns))
                sent += 1'000;
        }
        // The last step may earn a burst at most.
        CHECK(sent <= 101'000);
        CHECK(sent >= (step_ns < 32'000'000 ? 97'000 : 60'000));
    }
}

TEST_CASE("pacer: a packet longer than a burst goes, and is paid for") {
    Pacer pacer(1'000'000);
    CHECK(pacer.may_send(65'000, 1'000'000'000));
    CHECK_FALSE(pacer.may_send(1'000, 1'010'000'000));
    CHECK(pacer.may_send(1'000, 1'034'000'000));
    CHECK(pacer.pause_ns() == 16'384'000);
}

TEST_CASE("pacer: no limit is no limit") {
    Pacer pacer(0);
    for (int count = 0; count < 1'000; ++count)
        CHECK(pacer.may_send(65'000, 1));
}

}  // namespace
}  // namespace latmon::plugins::statsd
