// SPDX-License-Identifier: Apache-2.0
//
// Every field of both packets is at the octets that RFC 8762 and RFC 8972 give it; short packets
// and hostile TLVs do no harm. The golden octets were also decoded by an independent implementation
// (Scapy's contrib.stamp), field by field.
#include "wire/stamp.hpp"

#include "unit/wire/hex.hpp"

#include <doctest/doctest.h>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {
namespace {

Octets encode(const SenderPacket& packet) {
    Octets octets(limits::stamp_base_bytes, std::byte{0xaa});
    encode_sender(packet, StampBase(octets.data(), limits::stamp_base_bytes));
    return octets;
}

Octets encode(const ReflectorPacket& packet) {
    Octets octets(limits::stamp_base_bytes, std::byte{0xaa});
    encode_reflector(packet, StampBase(octets.data(), limits::stamp_base_bytes));
    return octets;
}

const SenderPacket distinct_sender{.sequence = 0x0102'0304,
                                   .t1 = {0x1112'1314'1516'1718},
                                   .error_estimate = 0x2122,
                                   .ssid = 0x3132};
const ReflectorPacket distinct_reflector{.sequence = 0x0102'0304,
                                         .t3 = {0x1112'1314'1516'1718},
                                         .error_estimate = 0x2122,
                                         .ssid = 0x3132,
                                         .t2 = {0x4142'4344'4546'4748},
                                         .sender_sequence = 0x5152'5354,
                                         .sender_t1 = {0x6162'6364'6566'6768},
                                         .sender_error_estimate = 0x7172,
                                         .sender_ttl = 0x81};
constexpr std::string_view distinct_sender_hex =
    "01020304"
    "1112131415161718"
    "2122"
    "3132"
    "00000000000000000000000000000000000000000000000000000000";
constexpr std::string_view distinct_reflector_hex =
    "01020304"
    "1112131415161718"
    "2122"
    "3132"
    "4142434445464748"
    "51525354"
    "6162636465666768"
    "7172"
    "0000"
    "81"
    "000000";

TEST_CASE("stamp: every field of a sender packet is at its offset, and MBZ is zero") {
    CHECK(encode(distinct_sender) == from_hex(distinct_sender_hex));
    CHECK(decode_sender(from_hex(distinct_sender_hex)) == distinct_sender);
}

TEST_CASE("stamp: every field of a reflector packet is at its offset, and MBZ is zero") {
    CHECK(encode(distinct_reflector) == from_hex(distinct_reflector_hex));
    CHECK(decode_reflector(from_hex(distinct_reflector_hex)) == distinct_reflector);
}

// 2026-09-21 14:13:20.123456789 UTC at the sender, 100.001 us later at the reflector, 10.001 us
// there.
constexpr WallTime real_t1{1'790'000'000'123'456'789};
constexpr WallTime real_t2{1'790'000'000'123'556'790};
constexpr WallTime real_t3{1'790'000'000'123'566'791};

TEST_CASE("stamp: a whole exchange is octet for octet what another implementation reads") {
    const std::uint16_t good = encode_error_estimate({.is_synchronized = true, .error = {50'000}});
    const std::uint16_t poor = encode_error_estimate({.error = Duration::from_s(16)});
    CHECK(encode(SenderPacket{0x0102'0304, to_ntp(real_t1), good, 0xbeef}) ==
          from_hex("01020304ee5bba001f9add378ad2beef"
                   "00000000000000000000000000000000000000000000000000000000"));
    CHECK(encode(ReflectorPacket{.sequence = 7,
                                 .t3 = to_ntp(real_t3),
                                 .error_estimate = poor,
                                 .ssid = 0xbeef,
                                 .t2 = to_ntp(real_t2),
                                 .sender_sequence = 0x0102'0304,
                                 .sender_t1 = to_ntp(real_t1),
                                 .sender_error_estimate = good,
                                 .sender_ttl = 63}) ==
          from_hex("00000007ee5bba001fa212be1d80beefee5bba001fa16af4"
                   "01020304ee5bba001f9add378ad200003f000000"));
}

TEST_CASE("stamp: a request of less than 14 octets is refused, a shorter base reads as zero") {
    const Octets whole = from_hex(distinct_sender_hex);
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        const auto decoded = decode_sender(std::span(whole).first(size));
        CAPTURE(size);
        REQUIRE(decoded.has_value() == (size >= 14));
        if (!decoded) continue;
        SenderPacket expected = distinct_sender;
        if (size == 14) expected.ssid = 0;
        if (size == 15) expected.ssid = 0x3100;
        CHECK(*decoded == expected);
    }
}

TEST_CASE("stamp: a reply of less than 38 octets is refused, a missing TTL reads as zero") {
    const Octets whole = from_hex(distinct_reflector_hex);
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        const auto decoded = decode_reflector(std::span(whole).first(size));
        CAPTURE(size);
        REQUIRE(decoded.has_value() == (size >= 38));
        if (!decoded) continue;
        ReflectorPacket expected = distinct_reflector;
        if (size <= 40) expected.sender_ttl = 0;
        CHECK(*decoded == expected);
    }
}

TEST_CASE("stamp: what stands in MBZ octets and behind the base is ignored") {
    Octets sender = from_hex(distinct_sender_hex);
    for (std::size_t index = 16; index < 44; ++index) {
        sender[index] = std::byte{0xff};
    }
    sender.resize(1'470, std::byte{0xee});
    CHECK(decode_sender(sender) == distinct_sender);

    Octets reflector = from_hex(distinct_reflector_hex);
    for (const std::size_t index : {38U, 39U, 41U, 42U, 43U}) {
        reflector[index] = std::byte{0xff};
    }
    reflector.resize(65'507, std::byte{0xee});
    CHECK(decode_reflector(reflector) == distinct_reflector);
}

// TLVs ------------------------------------------------------------------------------------------

struct Reflected {
    std::string hex;
    std::uint32_t count = 0;
};

Reflected reflect(std::string_view hex) {
    Octets octets = from_hex(hex);
    Reflected result;
    result.count = reflect_tlvs(octets);
    REQUIRE(octets.size() == hex.size() / 2);
    result.hex = to_hex(octets);
    return result;
}

TEST_CASE("stamp: TLVs are reflected by RFC 8972") {
    struct Case {
        std::string_view claim;
        std::string_view request;
        std::string_view reply;
        std::uint32_t count;
    };
    for (const Case& one : {
             Case{"none", "", "", 0},
             Case{"1 octet is no TLV", "80", "80", 0},
             Case{"3 octets are no TLV", "800100", "800100", 0},
             Case{"known, empty: U cleared", "80010000", "00010000", 1},
             Case{"known, with a value", "80010003abcdef", "00010003abcdef", 1},
             Case{"all flags and reserved bits cleared", "ff010000", "00010000", 1},
             Case{"unknown: U set", "00030001ab", "80030001ab", 1},
             Case{"unknown: M, I and reserved bits cleared", "7ffc000201 02", "80fc00020102", 1},
             Case{"known, then unknown, then known", "80010001aa 80f00000 80010002bbcc",
                  "00010001aa80f0000000010002bbcc", 3},
             Case{"1 octet behind a TLV stays", "80010001aaff", "00010001aaff", 1},
             Case{"3 octets behind a TLV stay", "80010000ffffff", "00010000ffffff", 1},
             Case{"length 1 beyond the end: M, rest as it is", "80010004aabbcc", "40010004aabbcc",
                  1},
             Case{"length far beyond the end", "8001ffff80010000", "4001ffff80010000", 1},
             Case{"unknown and beyond the end: U and M", "00090005aa", "c0090005aa", 1},
             Case{"nothing is touched behind a malformed one", "80010000 80010009 ff010000",
                  "000100004001 0009ff010000", 2},
             Case{"zero padding is a row of unknown empty TLVs", "000000000000000000",
                  "800000008000000000", 2},
         }) {
        std::string request(one.request);
        std::erase(request, ' ');
        std::string reply(one.reply);
        std::erase(reply, ' ');
        CAPTURE(one.claim);
        const Reflected reflected = reflect(request);
        CHECK(reflected.hex == reply);
        CHECK(reflected.count == one.count);
    }
}

TEST_CASE("stamp: the padding header makes a packet of the size that was asked for") {
    struct Case {
        std::uint32_t packet_bytes;
        std::uint32_t written;
        std::array<std::uint8_t, 4> header;
    };
    for (const Case& one : {Case{44, 0, {0, 0, 0, 0}},
                            {45, 1, {0, 0, 0, 0}},
                            {46, 2, {0, 0, 0, 0}},
                            {47, 3, {0, 0, 0, 0}},
                            {48, 4, {0x80, 1, 0, 0}},
                            {49, 4, {0x80, 1, 0, 1}},
                            {1'470, 4, {0x80, 1, 0x05, 0x8e}},
                            {65'507, 4, {0x80, 1, 0xff, 0xb3}}}) {
        std::array<std::byte, tlv_header_bytes> out;
        out.fill(std::byte{0xaa});
        CAPTURE(one.packet_bytes);
        CHECK(encode_padding_header(one.packet_bytes, out) == one.written);
        CHECK(std::equal(one.header.begin(), one.header.end(), out.begin(),
                         [](std::uint8_t a, std::byte b) { return std::byte{a} == b; }));
    }
}

Octets padded_sender(const SenderPacket& packet, std::uint32_t packet_bytes) {
    Octets octets = encode(packet);
    std::array<std::byte, tlv_header_bytes> header{};
    const std::uint32_t written = encode_padding_header(packet_bytes, header);
    octets.insert(octets.end(), header.begin(), header.begin() + written);
    octets.resize(packet_bytes);
    return octets;
}

TEST_CASE("stamp: padding is one TLV that a reflector knows, whatever the size") {
    for (std::uint32_t packet_bytes = 48; packet_bytes <= 2'000; ++packet_bytes) {
        Octets octets = padded_sender(distinct_sender, packet_bytes);
        CAPTURE(packet_bytes);
        CHECK(reflect_tlvs(std::span(octets).subspan(44)) == 1);
        CHECK(octets[44] == std::byte{0});
    }
}

}  // namespace
}  // namespace latmon
