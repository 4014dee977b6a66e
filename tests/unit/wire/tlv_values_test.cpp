// SPDX-License-Identifier: Apache-2.0
//
// Every field of every value of fixed length is at its octets, reserved ones are zero, and what was
// encoded is decoded again.
#include "wire/tlv_values.hpp"

#include "unit/wire/hex.hpp"

#include <doctest/doctest.h>
#include <array>

namespace latmon {
namespace {

template <std::size_t bytes, typename T>
std::string encoded(void (*encode)(const T&, std::span<std::byte, bytes>), const T& value) {
    std::array<std::byte, bytes> out;
    out.fill(std::byte{0xaa});
    encode(value, out);
    return to_hex(out);
}

template <std::size_t bytes, typename T>
T decoded(T (*decode)(std::span<const std::byte, bytes>), std::string_view hex) {
    const Octets octets = from_hex(hex);
    REQUIRE(octets.size() == bytes);
    return decode(std::span<const std::byte, bytes>(octets.data(), bytes));
}

TEST_CASE("tlv values: Timestamp Information") {
    const TimestampInfo info{1, 2, 4, 3};
    CHECK(encoded(&encode_timestamp_info, info) == "01020403");
    CHECK(decoded(&decode_timestamp_info, "01020403") == info);
}

TEST_CASE("tlv values: Class of Service") {
    // 101110 010101 10 01, then 16 reserved bits.
    const ClassOfService service{.dscp1 = 46, .dscp2 = 21, .ecn = 2, .rp = 1};
    CHECK(encoded(&encode_class_of_service, service) == "b9590000");
    CHECK(decoded(&decode_class_of_service, "b959ffff") == service);
    CHECK(encoded(&encode_class_of_service, {.dscp1 = 63}) == "fc000000");
    CHECK(encoded(&encode_class_of_service, {.dscp2 = 63}) == "03f00000");
    CHECK(encoded(&encode_class_of_service, {.ecn = 3}) == "000c0000");
    CHECK(encoded(&encode_class_of_service, {.rp = 3}) == "00030000");
    // What does not fit its field spoils no other.
    CHECK(encoded(&encode_class_of_service, {.dscp2 = 255, .ecn = 4, .rp = 4}) == "03f00000");
}

TEST_CASE("tlv values: Direct Measurement") {
    const DirectMeasurement counts{0x0102'0304, 0x1112'1314, 0x2122'2324};
    CHECK(encoded(&encode_direct_measurement, counts) == "010203041112131421222324");
    CHECK(decoded(&decode_direct_measurement, "010203041112131421222324") == counts);
}

TEST_CASE("tlv values: Access Report") {
    const AccessReport report{.access_id = 2, .return_code = 0x7f};
    CHECK(encoded(&encode_access_report, report) == "207f0000");
    CHECK(decoded(&decode_access_report, "2f7fffff") == report);
    for (unsigned id = 0; id < 16; ++id) {
        CAPTURE(id);
        CHECK(is_valid({.access_id = static_cast<std::uint8_t>(id)}) == (id == 1 || id == 2));
    }
}

TEST_CASE("tlv values: Follow-Up Telemetry") {
    const FollowUp follow_up{0x0102'0304, {0x1112'1314'1516'1718}, 0x21};
    CHECK(encoded(&encode_follow_up, follow_up) == "01020304111213141516171821000000");
    CHECK(decoded(&decode_follow_up, "01020304111213141516171821ffffff") == follow_up);
}

TEST_CASE("tlv values: exchange") {
    const ExchangeInfo info{.flags = 0x1f, .peer_rx_ns = 0x0102'0304, .clock_epoch = 0x1112'1314};
    CHECK(encoded(&encode_exchange, info) == "00007ed9011f00000102030411121314");
    CHECK(decoded(&decode_exchange, "00007ed9011fffff0102030411121314") == info);
}

TEST_CASE("tlv values: a private value is ours by number and version") {
    struct Case {
        std::string_view hex;
        PrivateTlv owner;
    };
    for (const Case& one : {Case{"", PrivateTlv::malformed},
                            {"00007e", PrivateTlv::malformed},
                            {"00007eda", PrivateTlv::foreign},
                            {"00007ed9", PrivateTlv::malformed},
                            {"00007ed900", PrivateTlv::foreign},
                            {"00007ed901", PrivateTlv::ours},
                            {"00007ed902", PrivateTlv::foreign}}) {
        CAPTURE(one.hex);
        CHECK(private_tlv(from_hex(one.hex)) == one.owner);
    }
}

TEST_CASE("tlv values: a duration is saturated, not wrapped") {
    CHECK(saturate_ns(Duration{-1}) == 0);
    CHECK(saturate_ns(Duration{0}) == 0);
    CHECK(saturate_ns(Duration{4'294'967'295}) == 4'294'967'295);
    CHECK(saturate_ns(Duration{4'294'967'296}) == 4'294'967'295);
}

}  // namespace
}  // namespace latmon
