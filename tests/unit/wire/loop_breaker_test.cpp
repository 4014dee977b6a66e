// SPDX-License-Identifier: Apache-2.0
//
// The loop breaker knows reflectors from senders, with and without authentication, in both formats
// and on both sides of an era's end.
#include "wire/loop_breaker.hpp"

#include "unit/wire/hex.hpp"
#include "wire/auth.hpp"
#include "wire/stamp.hpp"

#include <doctest/doctest.h>
#include <array>
#include <cstdint>
#include <random>
#include <string>

namespace latmon {
namespace {

constexpr WallTime real_t1{1'790'000'000'123'456'789};
constexpr WallTime real_t2{1'790'000'000'123'556'790};
constexpr WallTime real_t3{1'790'000'000'123'566'791};
constexpr Duration hour = Duration::from_s(3'600);

const HmacKey key(octets_of("secret"));

Octets encode(const ReflectorPacket& packet) {
    Octets octets(limits::stamp_base_bytes);
    encode_reflector(packet, StampBase(octets.data(), limits::stamp_base_bytes));
    return octets;
}

Octets encode_auth(const ReflectorPacket& packet) {
    Octets octets(stamp_auth_base_bytes);
    encode_reflector_auth(packet, key, StampAuthBase(octets.data(), stamp_auth_base_bytes));
    return octets;
}

Octets padded_sender(const SenderPacket& packet, std::uint32_t packet_bytes) {
    Octets octets(limits::stamp_base_bytes);
    encode_sender(packet, StampBase(octets.data(), limits::stamp_base_bytes));
    std::array<std::byte, tlv_header_bytes> header{};
    const std::uint32_t written = encode_padding_header(packet_bytes, header);
    octets.insert(octets.end(), header.begin(), header.begin() + written);
    octets.resize(packet_bytes);
    return octets;
}

ReflectorPacket real_reflector(WallTime t1, WallTime t2) {
    return {.t3 = to_ntp(t2), .t2 = to_ntp(t2), .sender_t1 = to_ntp(t1)};
}

TEST_CASE("loop breaker: what a reflector makes looks reflected for a day") {
    const Octets packet = encode(real_reflector(real_t1, real_t2));
    CHECK(looks_reflected(packet, real_t3));
    CHECK(looks_reflected(packet, real_t3 + hour * 23));
    CHECK(looks_reflected(packet, real_t3 - hour * 23));
    CHECK_FALSE(looks_reflected(packet, real_t3 + hour * 25));
    CHECK_FALSE(looks_reflected(packet, real_t3 - hour * 25));
    CHECK_FALSE(looks_reflected(std::span(packet).first(43), real_t3));

    Octets padded = packet;
    padded.resize(1'470);
    CHECK(looks_reflected(padded, real_t3));
}

TEST_CASE("loop breaker: what an authenticated reflector makes looks reflected for a day") {
    const Octets packet = encode_auth(real_reflector(real_t1, real_t2));
    CHECK(looks_reflected_auth(packet, real_t3));
    CHECK(looks_reflected_auth(packet, real_t3 + hour * 23));
    CHECK_FALSE(looks_reflected_auth(packet, real_t3 + hour * 25));
    CHECK_FALSE(looks_reflected_auth(std::span(packet).first(111), real_t3));
}

TEST_CASE("loop breaker: a reflector that stamps in PTP format looks reflected") {
    ReflectorPacket packet = real_reflector(real_t1, real_t2);
    packet.t2 = to_ptp(real_t2, Duration::from_s(37));
    CHECK(looks_reflected(encode(packet), real_t3));
    CHECK(looks_reflected_auth(encode_auth(packet), real_t3));
    packet.sender_t1 = packet.t2;
    CHECK(looks_reflected(encode(packet), real_t3));
    CHECK(looks_reflected_auth(encode_auth(packet), real_t3));
}

TEST_CASE("loop breaker: one recent time alone does not look reflected") {
    for (const bool is_t2_missing : {false, true}) {
        ReflectorPacket packet = real_reflector(real_t1, real_t2);
        (is_t2_missing ? packet.t2 : packet.sender_t1) = {};
        CHECK_FALSE(looks_reflected(encode(packet), real_t3));
        CHECK_FALSE(looks_reflected_auth(encode_auth(packet), real_t3));
    }
}

TEST_CASE("loop breaker: a sender's packet never looks reflected, not even at an era's beginning") {
    constexpr std::int64_t ns_per_s = 1'000'000'000;
    for (const std::int64_t now_s : {1'790'000'000LL, 2'085'978'496LL, 1LL << 32U}) {
        for (std::int64_t hours = -30; hours <= 30; ++hours) {
            const WallTime now = WallTime{now_s * ns_per_s} + hour * hours;
            const SenderPacket packet{.sequence = 1, .t1 = to_ntp(now)};
            for (const std::uint32_t packet_bytes : {44U, 45U, 47U, 48U, 1'470U}) {
                if (looks_reflected(padded_sender(packet, packet_bytes), now)) {
                    FAIL_CHECK(now.ns << " " << packet_bytes);
                }
            }
            Octets sealed(stamp_auth_base_bytes);
            encode_sender_auth(packet, key, StampAuthBase(sealed.data(), stamp_auth_base_bytes));
            if (looks_reflected_auth(sealed, now)) FAIL_CHECK(now.ns);
        }
    }
}

TEST_CASE("loop breaker: it works across the end of an era") {
    const WallTime era_1{2'085'978'496'000'000'000};
    const ReflectorPacket packet = real_reflector(era_1 - Duration{1'000}, era_1 + Duration{1'000});
    for (const WallTime now : {era_1 + hour, era_1 - hour}) {
        CHECK(looks_reflected(encode(packet), now));
        CHECK(looks_reflected_auth(encode_auth(packet), now));
    }
}

TEST_CASE("loop breaker: neither the ancestor's packets nor random ones look reflected") {
    for (std::size_t name_bytes = 1; name_bytes < 60; ++name_bytes) {
        std::string text = "7|" + std::string(name_bytes, 'n') + "|1790000000123456789|['dc:ber']|";
        text.resize(1'470, '0');
        CHECK_FALSE(looks_reflected(std::as_bytes(std::span(text)), real_t1));
    }
    std::mt19937_64 random(4);
    std::array<std::byte, 44> packet{};
    for (int round = 0; round < 200'000; ++round) {
        for (std::byte& octet : packet) {
            octet = static_cast<std::byte>(random());
        }
        if (looks_reflected(packet, real_t1)) FAIL_CHECK(round);
    }
}

}  // namespace
}  // namespace latmon
