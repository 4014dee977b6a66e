// SPDX-License-Identifier: Apache-2.0
//
// A layout fills its packet exactly, gives room by priority, and is what the octets then show.
#include "wire/tlv_request.hpp"

#include "base/limits.hpp"
#include "unit/wire/hex.hpp"
#include "wire/tlv.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <vector>

namespace latmon {
namespace {

constexpr std::uint32_t base = 44;
constexpr std::uint32_t auth_base = 112;
constexpr TlvSet everything = 0x7f;

const HmacKey key(octets_of("secret"));

Octets encode(const TlvLayout& layout, RequestTlvs values = {}) {
    Octets octets(layout.tlv_bytes);
    values.key = &key;
    encode_request_tlvs(layout, values, octets);
    return octets;
}

std::vector<unsigned> types_of(const Octets& octets) {
    std::vector<unsigned> types;
    TlvReader reader(octets);
    while (const std::optional<TlvView> tlv = reader.next()) {
        CHECK(tlv->flags == 0x80);
        types.push_back(tlv->type);
    }
    CHECK_FALSE(reader.is_malformed());
    return types;
}

using Types = std::vector<unsigned>;

TEST_CASE("tlv request: without a size the packet is as long as its TLVs, in their order") {
    const TlvLayout layout = layout_tlvs(everything, base, 0, false);
    CHECK(layout.included == everything);
    CHECK(layout.tlv_bytes == 20 + 20 + 8 + 8 + 16 + 48 + 8);
    CHECK(layout.packet_bytes == base + layout.tlv_bytes);
    CHECK(types_of(encode(layout)) == Types{253, 7, 3, 4, 5, 2, 6});
    CHECK(layout_tlvs(tlv_set::none, base, 0, false) == TlvLayout{.packet_bytes = base});
}

TEST_CASE("tlv request: an authenticated session seals its TLVs by itself") {
    const TlvLayout layout = layout_tlvs(tlv_set::exchange, auth_base, 0, true);
    CHECK(layout.packet_bytes == auth_base + 40);
    CHECK(layout.hmac_at == 20);
    CHECK(types_of(encode(layout)) == Types{253, 8});
    CHECK(layout_tlvs(tlv_set::none, auth_base, 0, true).tlv_bytes == 0);
}

TEST_CASE("tlv request: Extra Padding alone is not sealed unless that is asked for") {
    CHECK(types_of(encode(layout_tlvs(tlv_set::none, auth_base, 200, true))) == Types{1});
    CHECK(types_of(encode(layout_tlvs(tlv_set::hmac, auth_base, 200, true))) == Types{8, 1});
    CHECK(types_of(encode(layout_tlvs(tlv_set::hmac, base, 200, false))) == Types{8, 1});
}

TEST_CASE("tlv request: what is first gets room first, what is smaller may still fit") {
    struct Case {
        std::uint32_t packet_bytes;
        bool is_authenticated;
        Types types;
    };
    for (const Case& one : {
             Case{base, false, {}},
             {base + 3, false, {}},
             {base + 4, false, {1}},
             {base + 7, false, {1}},
             {base + 8, false, {3}},
             {base + 16, false, {3, 4}},
             {base + 19, false, {3, 4}},
             {base + 20, false, {253}},
             {base + 23, false, {253}},
             {base + 24, false, {253, 1}},
             {base + 40, false, {253, 7}},
             {base + 48, false, {253, 7, 3}},
             {base + 128, false, {253, 7, 3, 4, 5, 2, 6}},
             {base + 131, false, {253, 7, 3, 4, 5, 2, 6}},
             {1'470, false, {253, 7, 3, 4, 5, 2, 6, 1}},
             {auth_base + 27, true, {1}},
             {auth_base + 28, true, {3, 8}},
             {auth_base + 40, true, {253, 8}},
             {auth_base + 44, true, {253, 8, 1}},
             {1'470, true, {253, 7, 3, 4, 5, 2, 6, 8, 1}},
         }) {
        const std::uint32_t base_bytes = one.is_authenticated ? auth_base : base;
        const TlvLayout layout =
            layout_tlvs(everything, base_bytes, one.packet_bytes, one.is_authenticated);
        CAPTURE(one.packet_bytes);
        CHECK(layout.packet_bytes == one.packet_bytes);
        CHECK(types_of(encode(layout)) == one.types);
    }
}

TEST_CASE("tlv request: every set in every size fills the packet, sealed where it must be") {
    for (TlvSet wanted = 0; wanted <= 0xff; ++wanted) {
        for (std::uint32_t room = 0; room <= 200; room += wanted % 7 + 1) {
            for (const bool is_authenticated : {false, true}) {
                const TlvLayout layout =
                    layout_tlvs(wanted, auth_base, auth_base + room, is_authenticated);
                CAPTURE(wanted);
                CAPTURE(room);
                REQUIRE(layout.tlv_bytes == room);
                CHECK((layout.included & ~wanted & everything) == 0);
                const Octets octets = encode(layout, {.sequence = 5});
                TlvReader reader(octets);
                while (reader.next()) {
                }
                CHECK(reader.rest().size() < tlv_header_bytes);
                const TlvSeal seal{5, &key, is_authenticated};
                CHECK(check_integrity(octets, seal).verdict != Integrity::failed);
            }
        }
    }
}

TEST_CASE("tlv request: the largest datagram is laid out") {
    const TlvLayout layout = layout_tlvs(everything, base, limits::probe_bytes_max, false);
    CHECK(layout.padding_bytes == limits::probe_bytes_max - base - 128);
    CHECK(types_of(encode(layout)) == Types{253, 7, 3, 4, 5, 2, 6, 1});
}

TEST_CASE("tlv request: values stand where a reflector looks, everything else is zero") {
    const TlvLayout layout = layout_tlvs(everything, base, 0, false);
    const Octets octets = encode(layout, {.exchange_flags = 0x11,
                                          .clock_epoch = 0x0102'0304,
                                          .reply_dscp = 46,
                                          .sent_count = 0x2122'2324,
                                          .access_report = {2, 1}});
    CHECK(to_hex(octets) == without_blanks("80fd0010 00007ed901110000 00000000 01020304"
                                           "80070010 00000000000000000000000000000000"
                                           "80030004 00000000"
                                           "80040004 b8000000"
                                           "8005000c 212223240000000000000000"
                                           "8002002c 00000000"
                                           "80040010 00000000000000000000000000000000"
                                           "80070010 00000000000000000000000000000000"
                                           "80060004 20010000"));
}

TEST_CASE("tlv request: what is not padding is written, though the padding is not there") {
    for (const bool is_authenticated : {false, true}) {
        const TlvLayout layout = layout_tlvs(tlv_set::exchange, auth_base, 1'470, is_authenticated);
        CHECK(own_tlv_bytes(layout) == (is_authenticated ? 44U : 24U));
        Octets own(own_tlv_bytes(layout));
        encode_request_tlvs(layout, {.key = &key}, own);
        const Octets whole = encode(layout);
        CHECK(std::equal(own.begin(), own.end(), whole.begin()));
    }
    CHECK(own_tlv_bytes(layout_tlvs(everything, base, 0, true)) == 148);
}

TEST_CASE("tlv request: padding and odd octets are the caller's") {
    const TlvLayout layout = layout_tlvs(tlv_set::exchange, base, base + 30, false);
    Octets octets(layout.tlv_bytes, std::byte{0xee});
    encode_request_tlvs(layout, {}, octets);
    CHECK(to_hex(std::span(octets).subspan(20)) == "80010006eeeeeeeeeeee");
    const TlvLayout odd = layout_tlvs(tlv_set::exchange, base, base + 23, false);
    Octets odd_octets(odd.tlv_bytes, std::byte{0xee});
    encode_request_tlvs(odd, {}, odd_octets);
    CHECK(to_hex(std::span(odd_octets).subspan(20)) == "eeeeee");
}

}  // namespace
}  // namespace latmon
