// SPDX-License-Identifier: Apache-2.0
//
// Each TLV of a request becomes what RFC 8972 says it becomes, in place; the combinations that do
// harm elsewhere do none here.
#include "wire/tlv_reflect.hpp"

#include "unit/wire/hex.hpp"
#include "wire/tlv.hpp"
#include "wire/tlv_reply.hpp"
#include "wire/tlv_request.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

const HmacKey key(from_hex("abababababababababababababababab"));

struct Reflected {
    std::string hex;
    TlvOutcome outcome;
};

Reflected reflect(std::string_view request, const ReflectorFacts& facts = {}) {
    Octets octets = from_hex(request);
    Reflected result;
    result.outcome = reflect_tlvs(octets, facts);
    result.hex = to_hex(octets);
    return result;
}

struct Case {
    std::string_view claim;
    std::string_view request;
    std::string_view reply;
    std::uint32_t count = 1;
    std::uint32_t unrecognized_count = 0;
    bool is_malformed = false;
};

void check(const Case& one, const ReflectorFacts& facts) {
    const Reflected reflected = reflect(one.request, facts);
    CAPTURE(one.claim);
    CHECK(reflected.hex == without_blanks(one.reply));
    CHECK(reflected.outcome.count == one.count);
    CHECK(reflected.outcome.unrecognized_count == one.unrecognized_count);
    CHECK(reflected.outcome.is_malformed == one.is_malformed);
    CHECK_FALSE(reflected.outcome.has_failed_integrity);
}

TEST_CASE("tlv reflect: a stateless reflector that knows nothing") {
    for (const Case& one : {
             Case{"none", "", "", 0},
             Case{"odd octets are no TLV", "800100", "800100", 0},
             Case{"padding is echoed", "80010003 abcdef", "00010003 abcdef"},
             Case{"all flags and reserved bits cleared", "ff010000", "00010000"},
             Case{"unknown types: U", "80000000 80090001aa 800a0000 800c0000 80ff0000",
                  "80000000 80090001aa 800a0000 800c0000 80ff0000", 5, 5},
             Case{"unknown: M, I and reserved cleared", "7fb00000", "80b00000", 1, 1},
             Case{"no addresses: U", "80020004 00000000", "80020004 00000000", 1, 1},
             Case{"no traffic class: U", "80040004 b8000000", "80040004 b8000000", 1, 1},
             Case{"nobody counts: U", "8005000c 000000070000000000000000",
                  "8005000c 000000070000000000000000", 1, 1},
             Case{"access report echoed", "80060004 1f02abcd", "00060004 1f02abcd"},
             Case{"access report invalid: U", "80060004 30020000", "80060004 30020000", 1, 1},
             Case{"follow-up unknown: zero", "80070010 ffffffffffffffffffffffffffffffff",
                  "00070010 00000000000000000000000000000000"},
             Case{"timestamp info filled", "80030004 ffffffff", "00030004 00000000"},
             Case{"somebody's 253: U", "80fd0004 00000001", "80fd0004 00000001", 1, 1},
             Case{"somebody's 252: U", "80fc0004 00000001", "80fc0004 00000001", 1, 1},
             Case{"another version of our 253: U", "80fd0005 00007ed902", "80fd0005 00007ed902", 1,
                  1},
             Case{"odd octets behind stay", "80010001 aa ffffff", "00010001 aa ffffff"},
             Case{"zero padding is a row of empty TLVs", "000000000000000000", "800000008000000000",
                  2, 2},
         }) {
        check(one, {});
    }
}

TEST_CASE("tlv reflect: a bad length gets M, and nothing behind it is touched") {
    const LocationFacts location{.source = *parse_endpoint("192.0.2.1", 1),
                                 .destination = *parse_endpoint("192.0.2.2", 2),
                                 .is_told = true};
    const SessionFacts session{};
    const ReflectorFacts facts{.traffic_class = 0, .session = &session, .location = &location};
    for (const Case& one : {
             Case{"beyond the end", "80010004 aabbcc", "40010004 aabbcc"},
             Case{"far beyond the end", "8001ffff 80010000", "4001ffff 80010000"},
             Case{"unknown and beyond the end", "80090005 aa", "c0090005 aa", 1, 1},
             Case{"location", "80020003 ffffff", "40020003 ffffff"},
             Case{"location's sub-TLV", "80020009 ffffffff 80040010 ff",
                  "40020009 ffffffff 80040010 ff"},
             Case{"timestamp info", "80030005 ffffffffff", "40030005 ffffffffff"},
             Case{"class of service", "80040003 ffffff", "40040003 ffffff"},
             Case{"direct measurement", "8005000b ffffffffffffffffffffff",
                  "4005000b ffffffffffffffffffffff"},
             Case{"access report", "80060002 ffff", "40060002 ffff"},
             Case{"follow-up, short: zeroed as well", "80070003 ffffff", "40070003 000000"},
             Case{"follow-up, long: 12 octets zeroed",
                  "80070011 ffffffffffffffffffffffffffffffffff",
                  "40070011 000000000000000000000000ffffffffff"},
             Case{"exchange", "80fd000f 00007ed901ffffffffffffffffffff",
                  "40fd000f 00007ed901ffffffffffffffffffff"},
             Case{"private without a number", "80fd0003 00007e", "40fd0003 00007e"},
             Case{"descriptor", "80fc0005 00007ed901", "40fc0005 00007ed901"},
         }) {
        Case alone = one;
        alone.is_malformed = true;
        check(alone, facts);
        if (one.request.substr(0, 4) == "8001" || one.request.substr(0, 4) == "8009") continue;
        const std::string behind = " ff010000 80030004 ffffffff";
        const std::string request = std::string(one.request) + behind;
        const std::string reply = std::string(one.reply) + behind;
        alone.request = request;
        alone.reply = reply;
        check(alone, facts);
    }
}

TEST_CASE("tlv reflect: timestamp information is the reflector's own") {
    const ReflectorFacts facts{.timestamp_info = {1, 2, 3, 4}};
    CHECK(reflect("80030004 ffffffff", facts).hex == "0003000401020304");
}

TEST_CASE("tlv reflect: class of service tells DSCP and ECN as received") {
    ReflectorFacts facts{.traffic_class = 34 << 2 | 1, .allowed_dscps = 1ULL << 46};
    const Reflected granted = reflect("80040004 bbff1234", facts);  // DSCP1 46, all else set.
    CHECK(granted.hex == "00040004ba240000");
    CHECK(granted.outcome.reply_dscp == 46);

    facts.allowed_dscps = ~(1ULL << 46);
    const Reflected refused = reflect("80040004 b8000000", facts);
    CHECK(refused.hex == "00040004ba250000");
    CHECK(refused.outcome.reply_dscp == 34);

    facts.allowed_dscps = 1ULL << 63 | 1;
    CHECK(reflect("80040004 fc000000", facts).outcome.reply_dscp == 63);
    CHECK(reflect("80040004 00000000", facts).outcome.reply_dscp == 0);
    CHECK_FALSE(reflect("80010000", facts).outcome.reply_dscp);
}

TEST_CASE("tlv reflect: direct measurement keeps the sender's count and fills ours") {
    const SessionFacts session{.received_count = 6, .sent_count = 5};
    const Reflected reflected =
        reflect("8005000c 00000007 ffffffff ffffffff", {.session = &session});
    CHECK(reflected.hex == "0005000c000000070000000600000005");
    CHECK(reflected.outcome.sender_sent == 7);
}

TEST_CASE("tlv reflect: follow-up tells of the previous reply, if it is known") {
    SessionFacts session{.previous = FollowUp{4, {0x1112'1314'1516'1718}, 1}};
    constexpr std::string_view request = "80070010 ffffffffffffffffffffffffffffffff";
    CHECK(reflect(request, {.session = &session}).hex ==
          "0007001000000004111213141516171801000000");
    session.previous.reset();
    CHECK(reflect(request, {.session = &session}).hex ==
          "0007001000000000000000000000000000000000");
}

TEST_CASE("tlv reflect: location is answered, or zeroed where it must not be told") {
    LocationFacts location{.source = *parse_endpoint("192.0.2.1", 0x1234),
                           .destination = *parse_endpoint("198.51.100.2", 0x035e),
                           .is_told = true};
    constexpr std::string_view request =
        "80020018 ffffffff 80040010 00000000000000000000000000000000";
    CHECK(reflect(request, {.location = &location}).hex ==
          without_blanks("00020018 035e1234 00050010 c6336402000000000000000000000000"));
    location.is_told = false;
    CHECK(reflect(request, {.location = &location}).hex ==
          without_blanks("00020018 00000000 00050010 00000000000000000000000000000000"));
}

TEST_CASE("tlv reflect: exchange is given to the caller and filled") {
    const ReflectorFacts facts{.exchange = {.flags = 0x1f, .peer_rx_ns = 10, .clock_epoch = 3}};
    const Reflected reflected = reflect("80fd0010 00007ed90110ffff 00000001 00000009", facts);
    CHECK(reflected.hex == without_blanks("00fd0010 00007ed9011f0000 0000000a 00000003"));
    CHECK(reflected.outcome.exchange == ExchangeInfo{0x10, 1, 9});
}

TEST_CASE("tlv reflect: a descriptor is given to the caller and echoed") {
    const std::string value = "00007ed9 01 01 0000 0000000000000001 00000002 00000003 01 01 61";
    const Reflected reflected = reflect("80fc001b" + value);
    CHECK(reflected.hex == without_blanks("00fc001b" + value));
    REQUIRE(reflected.outcome.descriptor);
    CHECK(reflected.outcome.descriptor->name() == "a");
    CHECK(reflected.outcome.descriptor->clock_epoch == 2);
    CHECK_FALSE(reflected.outcome.is_descriptor_invalid);
    const Reflected cut = reflect("80fc001a" + value);
    CHECK_FALSE(cut.outcome.descriptor);
    CHECK(cut.outcome.is_descriptor_invalid);
    const Reflected foreign = reflect("80fc0004 00007eda");
    CHECK_FALSE(foreign.outcome.descriptor);
    CHECK_FALSE(foreign.outcome.is_descriptor_invalid);
}

// HMAC ------------------------------------------------------------------------------------------

constexpr std::string_view sealed =
    "80040004 b8000000 8005000c 000000010000000000000000"
    "80080010 90023245382a5bd883ae86ff81eccfb2";
const SessionFacts five_four{.received_count = 5, .sent_count = 4};

ReflectorFacts sealed_facts() {
    return {.seal = {7, &key, true},
            .reply_sequence = 4,
            .traffic_class = 34 << 2 | 1,
            .session = &five_four};
}

TEST_CASE("tlv reflect: a good HMAC is made anew for the reply and its sequence") {
    const Reflected reflected = reflect(sealed, sealed_facts());
    CHECK(reflected.hex == without_blanks("00040004 ba250000 0005000c 000000010000000500000004"
                                          "00080010 d648573aab7cee11f30c38320506f691"));
    CHECK_FALSE(reflected.outcome.has_failed_integrity);
}

TEST_CASE("tlv reflect: a failed HMAC sets I in every TLV, copies them and uses nothing") {
    ReflectorFacts facts = sealed_facts();
    facts.seal.sequence = 8;
    const Reflected reflected = reflect(sealed, facts);
    CHECK(reflected.hex == without_blanks("20040004 b8000000 2005000c 000000010000000000000000"
                                          "20080010 90023245382a5bd883ae86ff81eccfb2"));
    CHECK(reflected.outcome.has_failed_integrity);
    CHECK(reflected.outcome.count == 3);
    CHECK_FALSE(reflected.outcome.reply_dscp);
    CHECK_FALSE(reflected.outcome.sender_sent);
}

TEST_CASE("tlv reflect: what is required and missing, or cannot be verified, has failed") {
    const ReflectorFacts facts = sealed_facts();
    CHECK(reflect("80030004 ffffffff", facts).hex == "20030004ffffffff");
    CHECK(reflect("80010000 80f00000", facts).hex == "20010000a0f00000");
    CHECK(reflect("80030004 ffffffff 80090009", facts).hex == "20030004ffffffffe0090009");
    CHECK(reflect("80010002 ffff", facts).hex == "00010002ffff");
    CHECK(reflect("80080010 90023245382a5bd883ae86ff81eccfb2").hex ==
          without_blanks("20080010 90023245382a5bd883ae86ff81eccfb2"));
}

TEST_CASE("tlv reflect: M before a good HMAC reaches the sender, sealed") {
    Octets request = from_hex(
        "80040003 b80000 8005000c 000000010000000000000000 80080010"
        "00000000000000000000000000000000");
    seal_tlvs(request, 23, 7, key);
    const TlvOutcome outcome = reflect_tlvs(request, sealed_facts());
    CHECK(outcome.is_malformed);
    CHECK(to_hex(std::span(request).first(27)) ==
          without_blanks("40040003 b80000 8005000c 000000010000000000000000 80080010"));
    const ReplyTlvs reply = read_reply_tlvs(request, {4, &key, true});
    CHECK(reply.is_verified);
    CHECK(reply.malformed_count == 1);
}

// Both sides ------------------------------------------------------------------------------------

TEST_CASE("tlv reflect: what we ask for comes back, in every size, sealed or not") {
    LocationFacts location{.source = *parse_endpoint("2001:db8::1", 1),
                           .destination = *parse_endpoint("2001:db8::2", 2),
                           .is_told = true};
    const SessionFacts session{9, 8, FollowUp{3, {5}, 1}};
    for (std::uint32_t room = 0; room < 260; ++room) {
        for (const bool is_sealed : {false, true}) {
            const TlvLayout layout = layout_tlvs(0x7f, 44, 44 + room, is_sealed);
            Octets octets(layout.tlv_bytes);
            encode_request_tlvs(layout, {.sequence = 7, .key = &key, .sent_count = 10}, octets);
            const ReflectorFacts facts{.seal = {7, &key, is_sealed},
                                       .reply_sequence = 4,
                                       .traffic_class = 0,
                                       .session = &session,
                                       .location = &location,
                                       .exchange = {.flags = 1}};
            const TlvOutcome outcome = reflect_tlvs(octets, facts);
            const ReplyTlvs reply = read_reply_tlvs(octets, {4, &key, is_sealed});
            const auto has = [&](TlvSet bit) { return (layout.included & bit) != 0; };
            CAPTURE(room);
            CHECK(outcome.unrecognized_count == 0);
            CHECK_FALSE(outcome.is_malformed);
            CHECK(reply.malformed_count + reply.integrity_count + reply.unrecognized_count == 0);
            CHECK(reply.is_verified == has(tlv_set::hmac));
            CHECK(reply.exchange.has_value() == has(tlv_set::exchange));
            CHECK(reply.follow_up.has_value() == has(tlv_set::follow_up));
            CHECK(reply.timestamp_info.has_value() == has(tlv_set::timestamp_info));
            CHECK(reply.class_of_service.has_value() == has(tlv_set::class_of_service));
            CHECK(reply.access_report.has_value() == has(tlv_set::access_report));
            CHECK(reply.direct_measurement.has_value() == has(tlv_set::direct_measurement));
            if (reply.direct_measurement) {
                CHECK(*reply.direct_measurement == DirectMeasurement{10, 9, 8});
            }
        }
    }
}

}  // namespace
}  // namespace latmon
