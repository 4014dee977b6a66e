// SPDX-License-Identifier: Apache-2.0
//
// What RFC 8762 and RFC 8972 demand of what stands on the wire: one test per demand that octets
// alone can decide, named after the section that makes it. Demands on ports, sessions, timers and
// operators are decided elsewhere; those on single TLVs in conformance_tlv_test.cpp.
#include "unit/wire/hex.hpp"
#include "wire/auth.hpp"
#include "wire/stamp.hpp"
#include "wire/tlv_reflect.hpp"
#include "wire/tlv_reply.hpp"
#include "wire/tlv_request.hpp"

#include <doctest/doctest.h>
#include <algorithm>

namespace latmon {
namespace {

const HmacKey key(octets_of("a session's key"));
constexpr WallTime now{1'790'000'000'123'456'789};
const SenderPacket sender{.sequence = 5, .t1 = to_ntp(now), .error_estimate = 0x8ad2, .ssid = 9};
const ReflectorPacket reflector{.sequence = 6,
                                .t3 = to_ntp(now + Duration{2}),
                                .error_estimate = 0x0ad2,
                                .ssid = 9,
                                .t2 = to_ntp(now + Duration{1}),
                                .sender_sequence = 5,
                                .sender_t1 = to_ntp(now),
                                .sender_error_estimate = 0x8ad2,
                                .sender_ttl = 63};

Octets open(const SenderPacket& packet) {
    Octets octets(44, std::byte{0xaa});
    encode_sender(packet, StampBase(octets.data(), 44));
    return octets;
}

Octets open(const ReflectorPacket& packet) {
    Octets octets(44, std::byte{0xaa});
    encode_reflector(packet, StampBase(octets.data(), 44));
    return octets;
}

Octets sealed(const SenderPacket& packet) {
    Octets octets(112, std::byte{0xaa});
    encode_sender_auth(packet, key, StampAuthBase(octets.data(), 112));
    return octets;
}

Octets sealed(const ReflectorPacket& packet) {
    Octets octets(112, std::byte{0xaa});
    encode_reflector_auth(packet, key, StampAuthBase(octets.data(), 112));
    return octets;
}

bool is_zero(const Octets& octets, std::size_t from, std::size_t to) {
    return std::all_of(octets.begin() + static_cast<std::ptrdiff_t>(from),
                       octets.begin() + static_cast<std::ptrdiff_t>(to),
                       [](std::byte octet) { return octet == std::byte{0}; });
}

std::string reflected(std::string_view request, const ReflectorFacts& facts = {}) {
    Octets octets = from_hex(request);
    static_cast<void>(reflect_tlvs(octets, facts));
    return to_hex(octets);
}

Octets every_request_tlv() {
    const TlvLayout layout = layout_tlvs(0xff, 44, 0, false);
    Octets octets(layout.tlv_bytes);
    encode_request_tlvs(layout, {.sequence = 5, .key = &key}, octets);
    return octets;
}

// RFC 8762 ----------------------------------------------------------------------------------------

TEST_CASE("RFC 8762 4.2.1: timestamps are of the NTP 64-bit format, and survive 2036") {
    CHECK(to_ntp(WallTime{0}).bits == 2'208'988'800ULL << 32U);
    const WallTime era_1{2'085'978'496'000'000'000};
    CHECK(to_ntp(era_1).bits == 0);
    CHECK(from_ntp(to_ntp(era_1), era_1 - Duration::from_s(1)) == era_1);
}

TEST_CASE("RFC 8762 4.2.1: Z=1 says PTPv2 truncated, whatever the other side uses") {
    const WireTime ptp = to_ptp(now, Duration::from_s(37));
    CHECK(from_ptp(ptp, now, Duration::from_s(37)) == now);
    CHECK(decode_error_estimate(0x4001).is_ptp);
    CHECK_FALSE(decode_error_estimate(0x8001).is_ptp);
}

TEST_CASE("RFC 8762 4.2.1: the sender's MBZ is zero when sent, ignored when received") {
    CHECK(is_zero(open(sender), 16, 44));
    Octets dirty = open(sender);
    std::fill(dirty.begin() + 16, dirty.end(), std::byte{0xff});
    CHECK(decode_sender(dirty) == sender);
}

TEST_CASE(
    "RFC 8762 4.2.2: the authenticated sender's MBZ is zero when sent, ignored when received") {
    CHECK(is_zero(sealed(sender), 4, 16));
    CHECK(is_zero(sealed(sender), 28, 96));
    Octets dirty = sealed(sender);
    std::fill(dirty.begin() + 4, dirty.begin() + 16, std::byte{0xff});
    std::fill(dirty.begin() + 28, dirty.begin() + 96, std::byte{0xff});
    CHECK(decode_sender_auth(dirty) == sender);
}

TEST_CASE("RFC 8762 4.3.1: the reflector's MBZ is zero when sent, ignored when received") {
    Octets octets = open(reflector);
    CHECK(is_zero(octets, 38, 40));
    CHECK(is_zero(octets, 41, 44));
    for (const std::size_t at : {38U, 39U, 41U, 42U, 43U}) {
        octets[at] = std::byte{0xff};
    }
    CHECK(decode_reflector(octets) == reflector);
}

TEST_CASE("RFC 8762 4.3.2: the authenticated reflector's MBZ is zero, and ignored") {
    Octets octets = sealed(reflector);
    struct Range {
        std::ptrdiff_t from, to;
    };
    for (const Range mbz : {Range{4, 16}, Range{28, 32}, Range{40, 48}, Range{52, 64},
                            Range{74, 80}, Range{81, 96}}) {
        CHECK(
            is_zero(octets, static_cast<std::size_t>(mbz.from), static_cast<std::size_t>(mbz.to)));
        std::fill(octets.begin() + mbz.from, octets.begin() + mbz.to, std::byte{0xff});
    }
    CHECK(decode_reflector_auth(octets) == reflector);
}

TEST_CASE("RFC 8762 4.3.1: what the reflector copies of a request it copies bit by bit") {
    const ReflectorPacket copied = *decode_reflector(open(reflector));
    CHECK(copied.sender_sequence == sender.sequence);
    CHECK(copied.sender_t1 == sender.t1);
    CHECK(copied.sender_error_estimate == sender.error_estimate);
}

TEST_CASE("RFC 8762 4.4: HMAC-SHA-256 of 96 octets, truncated to 128 bits, ends the base packet") {
    for (const Octets& octets : {sealed(sender), sealed(reflector)}) {
        const Mac mac = key.mac(std::span(octets).first(96));
        CHECK(std::equal(mac.begin(), mac.end(), octets.begin() + 96, octets.end()));
    }
}

TEST_CASE("RFC 8762 4.4: a packet whose HMAC is wrong does not verify") {
    Octets octets = sealed(sender);
    CHECK(verify_auth(octets, key));
    octets[95] ^= std::byte{1};
    CHECK_FALSE(verify_auth(octets, key));
}

TEST_CASE("RFC 8762 4.6: a TWAMP-Light packet shorter than the base is read") {
    const Octets octets = open(sender);
    const auto packet = decode_sender(std::span(octets).first(14));
    REQUIRE(packet);
    CHECK(packet->t1 == sender.t1);
    CHECK(packet->ssid == 0);
}

TEST_CASE("RFC 4656 4.1.2: a Multiplier of 0 is corrupt, and never sent") {
    CHECK(decode_error_estimate(0x8a00).error < Duration{});
    CHECK((encode_error_estimate({}) & 0xff) != 0);
}

// RFC 8972 3, 4 -----------------------------------------------------------------------------------

TEST_CASE("RFC 8972 3: the SSID follows the Error Estimate in all four packets") {
    for (const Octets& octets : {open(sender), open(reflector)}) {
        CHECK(to_hex(std::span(octets).subspan(14, 2)) == "0009");
    }
    for (const Octets& octets : {sealed(sender), sealed(reflector)}) {
        CHECK(to_hex(std::span(octets).subspan(26, 2)) == "0009");
    }
}

TEST_CASE("RFC 8972 4: a sender sets U=1, M=0, I=0 and no reserved flag") {
    const Octets octets = every_request_tlv();
    TlvReader reader(octets);
    while (const std::optional<TlvView> tlv = reader.next()) {
        CHECK(tlv->flags == 0x80);
    }
}

TEST_CASE("RFC 8972 4: a reflector sets U of what it does not know, copies and skips it") {
    CHECK(reflected("80f00002 abcd 80010001 ee") == without_blanks("80f00002abcd 00010001ee"));
}

TEST_CASE("RFC 8972 4: a reflector clears U, M, I and the reserved flags of what it knows") {
    CHECK(reflected("ff010001 ee") == "00010001ee");
}

TEST_CASE("RFC 8972 4: a reflector sets M of a bad length, stops, copies the remainder") {
    CHECK(reflected("80030003 ababab 80010000") == without_blanks("40030003ababab 80010000"));
    CHECK(reflected("80010000 80010009 ab") == without_blanks("00010000 40010009ab"));
}

TEST_CASE("RFC 8972 4: a sender skips U, stops at M, discards all at I") {
    const auto read = [](std::string_view hex) { return read_reply_tlvs(from_hex(hex), {}); };
    CHECK_FALSE(read("80030004 01010101").timestamp_info);
    CHECK_FALSE(read("40010000 00030004 01010101").timestamp_info);
    CHECK_FALSE(read("00030004 01010101 20010000").timestamp_info);
}

TEST_CASE("RFC 8972 4: a private TLV has 4 octets at least, and its first are a PEN") {
    const TlvLayout layout = layout_tlvs(tlv_set::exchange, 44, 0, false);
    Octets octets(layout.tlv_bytes);
    encode_request_tlvs(layout, {}, octets);
    CHECK(to_hex(std::span(octets).subspan(4, 4)) == "00007ed9");
    CHECK(reflected("80fd0003 00007e") == "40fd000300007e");
    CHECK(reflected("80fe0003 00007e") == "80fe000300007e");  // Not ours to judge: unknown.
}

}  // namespace
}  // namespace latmon
