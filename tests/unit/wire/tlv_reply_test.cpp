// SPDX-License-Identifier: Apache-2.0
//
// A sender believes of a reply's TLVs what it may, and is put out by none of the ways in which
// reflectors spoil them.
#include "wire/tlv_reply.hpp"

#include "unit/wire/hex.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

const HmacKey key(from_hex("abababababababababababababababab"));

ReplyTlvs read(std::string_view hex, const TlvSeal& seal = {}) {
    return read_reply_tlvs(from_hex(hex), seal);
}

bool is_empty(const ReplyTlvs& reply) {
    return !reply.follow_up && !reply.timestamp_info && !reply.class_of_service &&
           !reply.direct_measurement && !reply.access_report && !reply.exchange;
}

TEST_CASE("tlv reply: every value is read") {
    const ReplyTlvs reply = read(
        "00fd0010 00007ed9011f0000 0000000a 00000003"
        "00070010 00000005 ee5bba001f9add37 01 000000"
        "00030004 01020102"
        "00040004 b9590000"
        "0005000c 00000007 00000006 00000005"
        "0002002c 00000000"
        "00050010 00000000000000000000000000000000 00080010 00000000000000000000000000000000"
        "00060004 10010000"
        "00010002 0000");
    CHECK(reply.exchange == ExchangeInfo{0x1f, 10, 3});
    CHECK(reply.follow_up == FollowUp{5, {0xee5b'ba00'1f9a'dd37}, 1});
    CHECK(reply.timestamp_info == TimestampInfo{1, 2, 1, 2});
    CHECK(reply.class_of_service == ClassOfService{46, 21, 2, 1});
    CHECK(reply.direct_measurement == DirectMeasurement{7, 6, 5});
    CHECK(reply.access_report == AccessReport{1, 1});
    CHECK(reply.unrecognized_count == 0);
    CHECK(reply.malformed_count == 0);
    CHECK(reply.integrity_count == 0);
    CHECK_FALSE(reply.is_verified);
}

TEST_CASE("tlv reply: nothing, odd octets and a bare base are no TLVs") {
    for (const std::string_view hex : {"", "00", "000000"}) {
        const ReplyTlvs reply = read(hex);
        CHECK(is_empty(reply));
        CHECK(reply.malformed_count == 0);
    }
}

TEST_CASE("tlv reply: TLVs with U are skipped and counted, those behind them read") {
    const ReplyTlvs reply = read(
        "80030004 01020102 80040004 b9590000 0005000c"
        "00000007 00000006 00000005");
    CHECK_FALSE(reply.timestamp_info);
    CHECK_FALSE(reply.class_of_service);
    CHECK(reply.direct_measurement);
    CHECK(reply.unrecognized_count == 2);
}

TEST_CASE("tlv reply: at M it stops, what was before stays") {
    const ReplyTlvs reply = read(
        "00030004 01020102 40040004 b9590000 0005000c"
        "00000007 00000006 00000005");
    CHECK(reply.timestamp_info);
    CHECK_FALSE(reply.class_of_service);
    CHECK_FALSE(reply.direct_measurement);
    CHECK(reply.malformed_count == 1);
    CHECK(read("c0040004 b9590000").malformed_count == 1);
}

TEST_CASE("tlv reply: one I discards all") {
    for (const std::string_view hex :
         {"00030004 01020102 20040004 b9590000", "20030004 01020102 00040004 b9590000",
          "00030004 01020102 20f00000", "00030004 01020102 20010009 00"}) {
        const ReplyTlvs reply = read(hex);
        CAPTURE(hex);
        CHECK(is_empty(reply));
        CHECK(reply.integrity_count == 1);
        CHECK(reply.unrecognized_count == 0);
        CHECK(reply.malformed_count == 0);
    }
    CHECK(read("20030004 01020102 20040004 b9590000").integrity_count == 2);
}

TEST_CASE("tlv reply: behind M an I is the request's own, which was copied") {
    const ReplyTlvs reply = read("00030004 01020102 40040004 b9590000 20010000");
    CHECK(reply.timestamp_info);
    CHECK(reply.malformed_count == 1);
    CHECK(reply.integrity_count == 0);
    CHECK(read("60030004 01020102 20010000").integrity_count == 1);
}

TEST_CASE("tlv reply: a bad length stops as M does") {
    for (const std::string_view hex :
         {"00030003 010201", "00030005 0102010200", "00040000", "0005000b 0000000000000000000000",
          "00060003 000000", "0007000f 000000000000000000000000000000", "00fd0003 00007e",
          "00fd0004 00007ed9", "00fd0011 00007ed9011f00000000000a0000000300", "00030004 010203",
          "0001ffff"}) {
        const ReplyTlvs reply = read(hex);
        CAPTURE(hex);
        CHECK(is_empty(reply));
        CHECK(reply.malformed_count == 1);
    }
}

TEST_CASE("tlv reply: a Follow-Up of zeroes is not known") {
    CHECK_FALSE(read("00070010 00000000000000000000000000000000").follow_up);
    CHECK_FALSE(read("00070010 00000000000000000000000002000000").follow_up);
}

TEST_CASE("tlv reply: a TLV that is there twice counts once, the first time") {
    const ReplyTlvs reply = read("00030004 01020102 00030004 05050505");
    CHECK(reply.timestamp_info == TimestampInfo{1, 2, 1, 2});
}

TEST_CASE("tlv reply: somebody else's private TLV is not ours") {
    const ReplyTlvs reply = read("00fd0010 00007eda011f0000 0000000a 00000003");
    CHECK_FALSE(reply.exchange);
    CHECK(reply.unrecognized_count == 1);
    CHECK_FALSE(read("00fd0010 00007ed9021f0000 0000000a 00000003").exchange);
}

TEST_CASE("tlv reply: a reflector that zero-fills leaves nothing to read, and no harm") {
    const ReplyTlvs reply = read_reply_tlvs(Octets(128), {});
    CHECK(is_empty(reply));
    CHECK(reply.unrecognized_count == 32);
}

constexpr std::string_view sealed =
    "00040004 ba250000 0005000c 000000010000000500000004"
    "00080010 d648573aab7cee11f30c38320506f691";

TEST_CASE("tlv reply: a good HMAC is verified with the reply's own sequence") {
    const ReplyTlvs reply = read(sealed, {4, &key, true});
    CHECK(reply.is_verified);
    CHECK(reply.class_of_service == ClassOfService{46, 34, 1, 1});
    CHECK(reply.direct_measurement == DirectMeasurement{1, 5, 4});
}

TEST_CASE("tlv reply: a bad or missing HMAC discards all") {
    for (const TlvSeal& seal : {TlvSeal{5, &key, true}, TlvSeal{4, nullptr, false}}) {
        const ReplyTlvs reply = read(sealed, seal);
        CHECK(is_empty(reply));
        CHECK(reply.integrity_count == 1);
    }
    CHECK(read("00030004 01020102", {4, &key, true}).integrity_count == 1);
    CHECK(read("00030004 01020102", {4, &key, false}).timestamp_info);
    CHECK(read("00010002 0000", {4, &key, true}).integrity_count == 0);
}

}  // namespace
}  // namespace latmon
