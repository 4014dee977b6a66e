// SPDX-License-Identifier: Apache-2.0
//
// Prefaces and frame headers stand at their octets, and what is not one is not taken for one.
#include "wire/frame.hpp"

#include <doctest/doctest.h>
#include <array>
#include <cstdint>

namespace latmon {
namespace {

using PrefaceOctets = std::array<std::byte, preface_bytes>;
using HeaderOctets = std::array<std::byte, frame_header_bytes>;

template <typename... Octets>
std::array<std::byte, sizeof...(Octets)> octets(Octets... values) {
    return {static_cast<std::byte>(values)...};
}

TEST_CASE("frame: every field of the preface is at its offset") {
    PrefaceOctets out;
    out.fill(std::byte{0xaa});
    const Preface preface{
        .version = 1, .flags = 0x5a, .ssid = 0xbeef, .boot_nonce = 0x0102'0304'0506'0708};
    encode_preface(preface, out);
    CHECK(out == octets('L', 'M', 'N', '1', 1, 0x5a, 0xbe, 0xef, 1, 2, 3, 4, 5, 6, 7, 8));
    CHECK(decode_preface(out) == preface);
}

TEST_CASE("frame: a preface with another magic or version is none") {
    PrefaceOctets good{};
    encode_preface(Preface{}, good);
    REQUIRE(decode_preface(good));
    for (std::size_t index = 0; index < 5; ++index) {  // Magic and version.
        PrefaceOctets bad = good;
        bad[index] ^= std::byte{0x01};
        CAPTURE(index);
        CHECK_FALSE(decode_preface(bad));
    }
}

TEST_CASE("frame: every field of the header is at its offset") {
    HeaderOctets out;
    out.fill(std::byte{0xaa});
    encode_frame_header({.pdu_bytes = 0x05be, .type = FrameType::reflected}, out);
    CHECK(out == octets(0x05, 0xbe, 2, 0));
    CHECK(decode_frame_header(out) ==
          FrameHeader{.pdu_bytes = 0x05be, .type = FrameType::reflected});
}

TEST_CASE("frame: a PDU has 44 to 65,507 octets") {
    for (std::uint32_t pdu_bytes = 0; pdu_bytes <= 0xffff; ++pdu_bytes) {
        const HeaderOctets data = octets(pdu_bytes >> 8U, pdu_bytes & 0xffU, 1, 0);
        const bool is_expected = pdu_bytes >= 44 && pdu_bytes <= 65'507;
        if (decode_frame_header(data).has_value() != is_expected) FAIL_CHECK(pdu_bytes);
    }
}

TEST_CASE("frame: an unknown type or a zero that is not zero puts the stream out of step") {
    for (std::uint32_t type = 0; type <= 0xff; ++type) {
        const bool is_expected = type >= 1 && type <= 4;
        CAPTURE(type);
        CHECK(decode_frame_header(octets(0, 44, type, 0)).has_value() == is_expected);
    }
    CHECK_FALSE(decode_frame_header(octets(0, 44, 1, 1)));
    CHECK_FALSE(decode_frame_header(octets(0, 44, 1, 0x80)));
}

TEST_CASE("frame: the first octet tells who is calling") {
    for (std::uint32_t first = 0; first <= 0xff; ++first) {
        const StreamKind expected = first == 'L'                   ? StreamKind::latmon
                                    : first >= '0' && first <= '9' ? StreamKind::ancestor
                                    : first == 0x16                ? StreamKind::tls
                                                                   : StreamKind::garbage;
        CAPTURE(first);
        CHECK(stream_kind(static_cast<std::byte>(first)) == expected);
    }
}

}  // namespace
}  // namespace latmon
