// SPDX-License-Identifier: Apache-2.0
//
// A row of TLVs is walked to its end, to the first that is too long, or to what is no TLV, and
// never beyond.
#include "wire/tlv.hpp"

#include "unit/wire/hex.hpp"

#include <doctest/doctest.h>
#include <array>

namespace latmon {
namespace {

struct Walk {
    std::string text;  // "flags/type:value@offset " of each.
    bool is_malformed = false;
    std::size_t rest_bytes = 0;
};

Walk walk(const Octets& octets) {
    Walk result;
    TlvReader reader(octets);
    while (const std::optional<TlvView> tlv = reader.next()) {
        result.text += std::to_string(tlv->flags) + "/" + std::to_string(tlv->type) + ":" +
                       to_hex(tlv->value) + "@" + std::to_string(tlv->at) + " ";
    }
    result.is_malformed = reader.is_malformed();
    result.rest_bytes = reader.rest().size();
    return result;
}

TEST_CASE("tlv: a row is walked to its end") {
    struct Case {
        std::string_view hex;
        std::string_view walked;
        bool is_malformed;
        std::size_t rest_bytes;
    };
    for (const Case& one : {
             Case{"", "", false, 0},
             Case{"80", "", false, 1},
             Case{"800100", "", false, 3},
             Case{"80010000", "128/1:@0 ", false, 0},
             Case{"80010002 abcd", "128/1:abcd@0 ", false, 0},
             Case{"40050001 aa 2007000400010203", "64/5:aa@0 32/7:00010203@5 ", false, 0},
             Case{"80010001 aa ffffff", "128/1:aa@0 ", false, 3},
             Case{"80010001", "", true, 4},
             Case{"80010000 80020005 aabbccdd", "128/1:@0 ", true, 8},
             Case{"8001ffff 00000000", "", true, 8},
         }) {
        const Walk walked = walk(from_hex(one.hex));
        CAPTURE(one.hex);
        CHECK(walked.text == one.walked);
        CHECK(walked.is_malformed == one.is_malformed);
        CHECK(walked.rest_bytes == one.rest_bytes);
    }
}

TEST_CASE("tlv: the longest value is read whole") {
    Octets octets = from_hex("8001ffff");
    octets.resize(4 + 0xffff);
    TlvReader reader(octets);
    const std::optional<TlvView> tlv = reader.next();
    REQUIRE(tlv);
    CHECK(tlv->value.size() == 0xffff);
    CHECK_FALSE(reader.next());
    CHECK_FALSE(reader.is_malformed());
}

TEST_CASE("tlv: a header is flags, type, length") {
    std::array<std::byte, tlv_header_bytes> header{};
    encode_tlv_header(0x80, TlvType::exchange, 0x1234, header);
    CHECK(to_hex(header) == "80fd1234");
}

TEST_CASE("tlv: setting flags leaves everything else") {
    Octets octets = from_hex("ff010000 ff020000");
    set_tlv_flags(octets, 4, 0x40);
    CHECK(to_hex(octets) == "ff01000040020000");
}

TEST_CASE("tlv: RFC 8972's eight types and our two are known, and no other") {
    for (unsigned type = 0; type < 256; ++type) {
        CAPTURE(type);
        const bool is_known = (type >= 1 && type <= 8) || type == 252 || type == 253;
        CHECK(is_known_tlv(static_cast<std::uint8_t>(type)) == is_known);
    }
}

}  // namespace
}  // namespace latmon
