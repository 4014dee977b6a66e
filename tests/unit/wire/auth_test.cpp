// SPDX-License-Identifier: Apache-2.0
//
// Every field of both authenticated packets is at the octets that RFC 8762 gives it, and their HMAC
// covers octets 0 to 95, no more and no less. The golden octets were sealed by another
// implementation (Python's hmac).
#include "wire/auth.hpp"

#include "unit/wire/hex.hpp"

#include <doctest/doctest.h>
#include <algorithm>

namespace latmon {
namespace {

const HmacKey key(from_hex("abababababababababababababababab"));

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
constexpr std::string_view sender_hex =
    "01020304 000000000000000000000000 1112131415161718 2122 3132"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000"
    "15558ce8e9dc323c595d8023cca1d5af";
constexpr std::string_view reflector_hex =
    "01020304 000000000000000000000000 1112131415161718 2122 3132 00000000"
    "4142434445464748 0000000000000000 51525354 000000000000000000000000"
    "6162636465666768 7172 000000000000 81 000000000000000000000000000000"
    "4f78854428214ce72bf7f5dae5bfbc17";

template <typename Packet>
Octets encode(const Packet& packet) {
    Octets octets(stamp_auth_base_bytes, std::byte{0xaa});
    const StampAuthBase out(octets.data(), stamp_auth_base_bytes);
    if constexpr (std::is_same_v<Packet, SenderPacket>) {
        encode_sender_auth(packet, key, out);
    } else {
        encode_reflector_auth(packet, key, out);
    }
    return octets;
}

TEST_CASE("auth: every field of a sender packet is at its offset, MBZ is zero, the HMAC right") {
    CHECK(to_hex(encode(distinct_sender)) == without_blanks(sender_hex));
    CHECK(decode_sender_auth(from_hex(sender_hex)) == distinct_sender);
    CHECK(verify_auth(from_hex(sender_hex), key));
}

TEST_CASE("auth: every field of a reflector packet is at its offset, MBZ is zero, the HMAC right") {
    CHECK(to_hex(encode(distinct_reflector)) == without_blanks(reflector_hex));
    CHECK(decode_reflector_auth(from_hex(reflector_hex)) == distinct_reflector);
    CHECK(verify_auth(from_hex(reflector_hex), key));
}

TEST_CASE("auth: a packet of less than 112 octets is refused") {
    const Octets whole = encode(distinct_reflector);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::span<const std::byte> part = std::span(whole).first(size);
        CAPTURE(size);
        CHECK_FALSE(verify_auth(part, key));
        CHECK_FALSE(decode_sender_auth(part));
        CHECK_FALSE(decode_reflector_auth(part));
    }
}

TEST_CASE("auth: each flipped bit of the 112 octets is noticed, none behind them matters") {
    const Octets whole = encode(distinct_sender);
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        Octets bad = whole;
        bad[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
        if (verify_auth(bad, key)) FAIL_CHECK(bit);
    }
    Octets longer = whole;
    longer.resize(1'470, std::byte{0xee});
    CHECK(verify_auth(longer, key));
    CHECK(decode_sender_auth(longer) == distinct_sender);
}

TEST_CASE("auth: another key does not verify") {
    CHECK_FALSE(verify_auth(encode(distinct_sender), HmacKey(from_hex("ab"))));
}

}  // namespace
}  // namespace latmon
