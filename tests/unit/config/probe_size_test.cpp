// SPDX-License-Identifier: Apache-2.0
//
// Claims about how large packets are.
#include "config/probe_size.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

constexpr ProbeShape plain{ProbeProtocol::stamp, false, tlvs_default};
constexpr ProbeShape authenticated{ProbeProtocol::stamp, true, tlvs_default};

TEST_CASE("probe_size: a probe takes its base packet, its TLVs and their HMAC") {
    CHECK(probe_bytes_needed(plain) == 100);
    CHECK(probe_bytes_needed(authenticated) == 188);
    CHECK(probe_bytes_needed({ProbeProtocol::stamp, false, 0}) == 44);
    CHECK(probe_bytes_needed({ProbeProtocol::stamp, true, 0}) == 112);
    CHECK(probe_bytes_needed({ProbeProtocol::stamp, false, 0x7f}) == 44 + 128);
    CHECK(probe_bytes_needed({ProbeProtocol::twamp_light, false, tlvs_default}) == 44);
    CHECK(probe_bytes_needed({ProbeProtocol::automatic, false, tlvs_default}) == 100);
    CHECK(probe_bytes_needed({ProbeProtocol::ancestor, false, tlvs_default}) == 0);
}

TEST_CASE("probe_size: without TLVs a probe is at least its base packet") {
    CHECK(probe_bytes_min(plain) == 44);
    CHECK(probe_bytes_min(authenticated) == 112);
    CHECK(probe_bytes_min({ProbeProtocol::twamp_light, false, 0}) == 14);
}

TEST_CASE("probe_size: all TLVs fit into the size that is needed, and one less does not hold all") {
    for (const ProbeShape& shape : {plain, authenticated}) {
        CHECK(tlvs_within(shape, probe_bytes_needed(shape)) == tlvs_default);
        CHECK(tlvs_within(shape, probe_bytes_needed(shape) - 1) ==
              (tlvs_default & ~tlv_class_of_service_bit));
        CHECK(tlvs_within(shape, probe_bytes_min(shape)) == 0);
    }
}

TEST_CASE("probe_size: a TLV that does not fit leaves its room to those behind it") {
    CHECK(tlvs_within(plain, 44 + 19) == (tlv_timestamp_info_bit | tlv_class_of_service_bit));
    CHECK(tlvs_within(plain, 44 + 30) == (tlv_exchange_bit | tlv_timestamp_info_bit));
    CHECK(tlvs_within(authenticated, 112 + 27) == 0);
    CHECK(tlvs_within(authenticated, 112 + 28) == tlv_timestamp_info_bit);
}

TEST_CASE("probe_size: only what is wanted is sent, and by TWAMP-Light nothing") {
    CHECK(tlvs_within({ProbeProtocol::stamp, false, tlv_location_bit}, 1'470) == tlv_location_bit);
    CHECK(tlvs_within({ProbeProtocol::twamp_light, false, tlvs_default}, 1'470) == 0);
    CHECK(tlvs_within({ProbeProtocol::ancestor, false, tlvs_default}, 1'470) == 0);
    CHECK(tlvs_within({ProbeProtocol::automatic, false, tlvs_default}, 1'470) == tlvs_default);
}

}  // namespace
}  // namespace latmon
