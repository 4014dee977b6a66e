// SPDX-License-Identifier: Apache-2.0
//
// What RFC 8972 sections 4.2 to 4.8 demand of single TLVs on the wire: as conformance_test.cpp, one
// test per demand that octets alone can decide.
#include "unit/wire/hex.hpp"
#include "wire/tlv_reflect.hpp"
#include "wire/tlv_reply.hpp"
#include "wire/tlv_request.hpp"

#include <doctest/doctest.h>
#include <algorithm>

namespace latmon {
namespace {

const HmacKey key(octets_of("a session's key"));

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

// RFC 8972 4.2 to 4.7 -----------------------------------------------------------------------------

TEST_CASE("RFC 8972 4.2: a Location request holds zeroes but for flags, types and lengths") {
    const TlvLayout layout = layout_tlvs(tlv_set::location, 44, 0, false);
    Octets octets(layout.tlv_bytes);
    encode_request_tlvs(layout, {}, octets);
    CHECK(is_zero(octets, 4, 8));
    CHECK(is_zero(octets, 12, 28));
    CHECK(is_zero(octets, 32, 48));
}

TEST_CASE("RFC 8972 4.2.2: Location comes back as long, zero where the policy does not tell") {
    const LocationFacts facts{.source = *parse_endpoint("192.0.2.1", 7),
                              .destination = *parse_endpoint("192.0.2.2", 862)};
    CHECK(reflected("80020010 ffffffff 80010008 ffffffffffffffff", {.location = &facts}) ==
          without_blanks("00020010 00000000 00030008 0000000000000000"));
}

TEST_CASE("RFC 8972 4.3: a Timestamp Information request is zero, and its length is checked") {
    const TlvLayout layout = layout_tlvs(tlv_set::timestamp_info, 44, 0, false);
    Octets octets(layout.tlv_bytes, std::byte{0xaa});
    encode_request_tlvs(layout, {}, octets);
    CHECK(to_hex(octets) == "8003000400000000");
    CHECK(reflected("80030005 0000000000") == "400300050000000000");
}

TEST_CASE("RFC 8972 4.4: RP and Reserved are zero in a request") {
    const TlvLayout layout = layout_tlvs(tlv_set::class_of_service, 44, 0, false);
    Octets octets(layout.tlv_bytes, std::byte{0xaa});
    encode_request_tlvs(layout, {.reply_dscp = 46}, octets);
    CHECK(to_hex(octets) == "80040004b8000000");
}

TEST_CASE("RFC 8972 4.4, erratum 8199: DSCP goes to DSCP2 and ECN to ECN") {
    CHECK(reflected("80040004 b8000000", {.traffic_class = 0xbb, .allowed_dscps = ~0ULL}) ==
          "00040004baec0000");
}

TEST_CASE("RFC 8972 4.4: a DSCP1 that is not permitted sets RP and the reply keeps its DSCP") {
    Octets octets = from_hex("80040004 b8000000");
    const TlvOutcome outcome = reflect_tlvs(octets, {.traffic_class = 10 << 2});
    CHECK(outcome.reply_dscp == 10);
    CHECK(to_hex(octets) == "00040004b8a10000");
}

TEST_CASE("RFC 8972 4.5: Direct Measurement has 12 octets; S_TxC is copied, the others ignored") {
    const SessionFacts session{.received_count = 2, .sent_count = 1};
    CHECK(reflected("8005000c 00000003 ffffffff ffffffff", {.session = &session}) ==
          "0005000c000000030000000200000001");
    CHECK(reflected("80050008 00000003 ffffffff", {.session = &session}) ==
          "4005000800000003ffffffff");
}

TEST_CASE("RFC 8972 4.6: Access Report is returned as it is, an invalid Access ID is discarded") {
    CHECK(reflected("80060004 20010000") == "0006000420010000");
    CHECK(reflected("80060004 30010000") == "8006000430010000");
}

TEST_CASE("RFC 8972 4.7: a stateless reflector zeroes Sequence Number and Follow-Up Timestamp") {
    CHECK(reflected("80070010 ffffffffffffffffffffffffffffffff") ==
          "0007001000000000000000000000000000000000");
}

TEST_CASE("RFC 8972 4.7, erratum 8339: a bad length zeroes both as well, and sets M") {
    CHECK(reflected("80070008 ffffffffffffffff") == "400700080000000000000000");
}

// RFC 8972 4.8 ------------------------------------------------------------------------------------

TEST_CASE("RFC 8972 4.8: an authenticated packet's TLVs are sealed, but for Extra Padding alone") {
    CHECK((layout_tlvs(tlv_set::follow_up, 112, 1'470, true).included & tlv_set::hmac) != 0);
    CHECK((layout_tlvs(tlv_set::none, 112, 1'470, true).included & tlv_set::hmac) == 0);
    const TlvSeal seal{.key = &key, .is_required = true};
    CHECK(reflected("80030004 00000000", {.seal = seal}) == "2003000400000000");
    CHECK(reflected("80010000", {.seal = seal}) == "00010000");
}

TEST_CASE("RFC 8972 4.8: the HMAC covers the Sequence Number and all TLVs before it") {
    const Octets octets = every_request_tlv();
    const std::span<const std::byte> before = std::span(octets).first(octets.size() - 20);
    const Mac mac = key.mac(from_hex("00000005"), before);
    CHECK(std::equal(mac.begin(), mac.end(), octets.end() - 16, octets.end()));
}

TEST_CASE("RFC 8972 4.8: an HMAC TLV that is not last counts as failed") {
    Octets octets = every_request_tlv();
    const Octets more = from_hex("80030004 00000000");
    octets.insert(octets.end(), more.begin(), more.end());
    CHECK(reflect_tlvs(octets, {.seal = {5, &key, false}}).has_failed_integrity);
}

TEST_CASE("RFC 8972 4.8: after a failed HMAC each TLV is copied with I=1, and none is used") {
    Octets octets = every_request_tlv();
    octets.back() ^= std::byte{1};
    const Octets before = octets;
    const TlvOutcome outcome = reflect_tlvs(octets, {.seal = {5, &key, false}});
    CHECK_FALSE(outcome.exchange);
    CHECK_FALSE(outcome.reply_dscp);
    TlvReader reader(octets);
    while (const std::optional<TlvView> tlv = reader.next()) {
        CHECK(tlv->flags == 0x20);
        CHECK(std::equal(tlv->value.begin(), tlv->value.end(),
                         before.begin() + static_cast<std::ptrdiff_t>(tlv->at + 4)));
    }
}

TEST_CASE("RFC 8972 4.8: a sender that cannot verify a reply's HMAC uses none of its TLVs") {
    Octets octets = every_request_tlv();
    static_cast<void>(reflect_tlvs(octets, {.seal = {5, &key, true}, .reply_sequence = 6}));
    CHECK(read_reply_tlvs(octets, {6, &key, true}).exchange);
    CHECK_FALSE(read_reply_tlvs(octets, {7, &key, true}).exchange);
}

// Not asked for, and never done -------------------------------------------------------------------

TEST_CASE("RFC 9503 4, 5 and RFC 10052: what aims or multiplies replies is not understood") {
    CHECK(reflected("80090004 01020304 800a0000 800c0008 0000000000000000") ==
          without_blanks("80090004 01020304 800a0000 800c0008 0000000000000000"));
}

}  // namespace
}  // namespace latmon
