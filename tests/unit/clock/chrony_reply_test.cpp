// SPDX-License-Identifier: Apache-2.0
//
// What chronyd's answer means, octet by octet, and which answers mean nothing.
#include "clock/chrony_reply.hpp"

#include "unit/clock/chrony_packet.hpp"

#include <doctest/doctest.h>
#include <cstdlib>
#include <vector>

namespace latmon {
namespace {

constexpr std::uint32_t sequence = 0xCAFE;
constexpr WallTime heard{chrony_reference_s * 1'000'000'000 + 5};

std::optional<ChronyTracking> decode(const ChronyPacket& packet) {
    return decode_chrony_reply(packet, sequence);
}

std::optional<Duration> bound(const ChronyPacket& packet, WallTime now = heard) {
    const std::optional<ChronyTracking> tracking = decode(packet);
    REQUIRE(tracking);
    return error_bound(*tracking, now);
}

TEST_CASE("chrony_reply: the request is padded to the length of its answer") {
    const auto request = chrony_request(0x01020304);
    CHECK(request.size() >= chrony_reply_bytes);
    CHECK(request[0] == std::byte{6});
    CHECK(request[1] == std::byte{1});
    CHECK(request[5] == std::byte{33});
    CHECK(request[8] == std::byte{1});
    CHECK(request[11] == std::byte{4});
}

TEST_CASE("chrony_reply: every field is found where chronyd puts it") {
    const std::optional<ChronyTracking> tracking = decode(good_chrony_packet(sequence));
    REQUIRE(tracking);
    CHECK(tracking->reference_id == 0xC0000201);
    CHECK(tracking->stratum == 3);
    CHECK(tracking->leap_status == 0);
    CHECK(tracking->reference_time == heard);
    CHECK(tracking->correction == Duration{-488'282});  // Rounded away from 0.
    CHECK(tracking->root_delay == Duration{15'625'000});
    CHECK(tracking->root_dispersion == Duration{976'563});
    CHECK(tracking->update_interval == Duration::from_s(64));
}

TEST_CASE("chrony_reply: seconds beyond 32 bits are marked, and missing ones are not added") {
    ChronyPacket packet = good_chrony_packet(sequence);
    put(packet, chrony_offset::time_high, std::uint32_t{0x7FFFFFFF});
    CHECK(decode(packet)->reference_time == heard);
    put(packet, chrony_offset::time_high, std::uint32_t{1});
    CHECK(decode(packet)->reference_time > heard);
    put(packet, chrony_offset::time_high, std::uint32_t{0xFFFFFFFF});
    CHECK(decode(packet)->reference_time > heard);
}

TEST_CASE("chrony_reply: anything but the answer to our question is none") {
    CHECK_FALSE(decode_chrony_reply(good_chrony_packet(sequence), sequence + 1));
    const std::vector<std::size_t> matters{0, 1, 4, 5, 6, 7, 8, 9, 16, 17, 18, 19};
    for (const std::size_t offset : matters) {
        ChronyPacket packet = good_chrony_packet(sequence);
        packet.at(offset) ^= std::byte{0x80};
        CHECK_FALSE(decode(packet));
    }
    const ChronyPacket packet = good_chrony_packet(sequence);
    for (std::size_t bytes = 0; bytes < packet.size(); ++bytes) {
        CHECK_FALSE(decode_chrony_reply(std::span(packet).first(bytes), sequence));
    }
}

TEST_CASE("chrony_reply: the bound is what is to be corrected, the dispersion and half the delay") {
    const Duration exact{488'281 + 976'562 + 7'812'500};
    const std::optional<Duration> found = bound(good_chrony_packet(sequence));
    REQUIRE(found);
    CHECK(*found > exact);
    CHECK(*found < exact + Duration::from_us(1));
}

TEST_CASE("chrony_reply: no sign makes the bound smaller") {
    ChronyPacket packet = good_chrony_packet(sequence);
    const std::optional<Duration> plain = bound(packet);
    put_seconds(packet, chrony_offset::correction, 1 << 23, -9);
    CHECK(bound(packet) == plain);
    put_seconds(packet, chrony_offset::delay, -(1 << 23), -4);
    CHECK(bound(packet) == plain);
    put_seconds(packet, chrony_offset::dispersion, -(1 << 23), -8);
    CHECK(bound(packet) == plain);
}

TEST_CASE("chrony_reply: a chronyd without a source has no bound") {
    for (const std::uint16_t stratum : {std::uint16_t{0}, std::uint16_t{16}, std::uint16_t{255}}) {
        ChronyPacket packet = good_chrony_packet(sequence);
        put(packet, chrony_offset::stratum, stratum);
        CHECK_FALSE(bound(packet));
    }
    ChronyPacket packet = good_chrony_packet(sequence);
    put(packet, chrony_offset::leap, std::uint16_t{2});
    CHECK(bound(packet));
    put(packet, chrony_offset::leap, std::uint16_t{3});
    CHECK_FALSE(bound(packet));
}

TEST_CASE("chrony_reply: our own clock, nobody and a person are no sources") {
    for (const std::uint32_t reference : {0x7F7F0101U, 0x7F7F01FFU, 0U, 0x4D414E55U}) {
        ChronyPacket packet = good_chrony_packet(sequence);
        put(packet, chrony_offset::reference, reference);
        CHECK_FALSE(bound(packet));
    }
}

TEST_CASE("chrony_reply: a source that has fallen silent makes the bound grow by 15 ppm") {
    const ChronyPacket packet = good_chrony_packet(sequence);
    const Duration interval = Duration::from_s(64);
    const std::optional<Duration> fresh = bound(packet);
    CHECK(bound(packet, heard + interval * 8) == fresh);
    const Duration age = interval * 100;
    const std::optional<Duration> old = bound(packet, heard + age);
    REQUIRE(old);
    CHECK(*old >= *fresh + age * 15 / 1'000'000);
    CHECK(*old <= *fresh + age * 16 / 1'000'000);
    // A reference time in the future is as wrong as one in the past.
    CHECK(bound(packet, heard - age) == old);
}

TEST_CASE("chrony_reply: absurd numbers stay finite and large") {
    ChronyPacket packet = good_chrony_packet(sequence);
    for (const std::size_t offset :
         {chrony_offset::correction, chrony_offset::delay, chrony_offset::dispersion}) {
        put_seconds(packet, offset, (1 << 24) - 1, 63);
    }
    const std::optional<Duration> found = bound(packet, WallTime{INT64_MAX});
    REQUIRE(found);
    CHECK(*found == Duration::from_s(1'000'000'000));
    put_seconds(packet, chrony_offset::correction, -(1 << 24), 63);
    CHECK(bound(packet) == found);
}

}  // namespace
}  // namespace latmon
