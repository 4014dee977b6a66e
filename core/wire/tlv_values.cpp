// SPDX-License-Identifier: Apache-2.0
//
// See tlv_values.hpp.
#include "wire/tlv_values.hpp"

#include "wire/octets.hpp"

#include <algorithm>
#include <limits>

namespace latmon {
namespace {

// Class of Service, as one number of 16 bits with 16 reserved ones behind it.
constexpr unsigned dscp1_shift = 10;
constexpr unsigned dscp2_shift = 4;
constexpr unsigned ecn_shift = 2;
constexpr unsigned dscp_mask = 0x3f;
constexpr unsigned two_bits = 0x3;

constexpr unsigned access_id_shift = 4;
constexpr std::uint8_t access_id_3gpp = 1;
constexpr std::uint8_t access_id_other = 2;

constexpr std::size_t private_version_at = 4;
constexpr std::size_t private_head_bytes = 5;

}  // namespace

void encode_timestamp_info(const TimestampInfo& info,
                           std::span<std::byte, timestamp_info_bytes> out) noexcept {
    store_big_endian<0>(out, info.sync_source_in);
    store_big_endian<1>(out, info.method_in);
    store_big_endian<2>(out, info.sync_source_out);
    store_big_endian<3>(out, info.method_out);
}

TimestampInfo decode_timestamp_info(
    std::span<const std::byte, timestamp_info_bytes> value) noexcept {
    return {.sync_source_in = load_big_endian<std::uint8_t, 0>(value),
            .method_in = load_big_endian<std::uint8_t, 1>(value),
            .sync_source_out = load_big_endian<std::uint8_t, 2>(value),
            .method_out = load_big_endian<std::uint8_t, 3>(value)};
}

void encode_class_of_service(const ClassOfService& service,
                             std::span<std::byte, class_of_service_bytes> out) noexcept {
    const unsigned bits = (service.dscp1 & dscp_mask) << dscp1_shift |
                          (service.dscp2 & dscp_mask) << dscp2_shift |
                          (service.ecn & two_bits) << ecn_shift | (service.rp & two_bits);
    store_big_endian<0>(out, static_cast<std::uint32_t>(bits) << 16U);
}

ClassOfService decode_class_of_service(
    std::span<const std::byte, class_of_service_bytes> value) noexcept {
    const unsigned bits = load_big_endian<std::uint16_t, 0>(value);
    return {.dscp1 = static_cast<std::uint8_t>(bits >> dscp1_shift & dscp_mask),
            .dscp2 = static_cast<std::uint8_t>(bits >> dscp2_shift & dscp_mask),
            .ecn = static_cast<std::uint8_t>(bits >> ecn_shift & two_bits),
            .rp = static_cast<std::uint8_t>(bits & two_bits)};
}

void encode_direct_measurement(const DirectMeasurement& counts,
                               std::span<std::byte, direct_measurement_bytes> out) noexcept {
    store_big_endian<0>(out, counts.sender_sent);
    store_big_endian<4>(out, counts.reflector_received);
    store_big_endian<8>(out, counts.reflector_sent);
}

DirectMeasurement decode_direct_measurement(
    std::span<const std::byte, direct_measurement_bytes> value) noexcept {
    return {.sender_sent = load_big_endian<std::uint32_t, 0>(value),
            .reflector_received = load_big_endian<std::uint32_t, 4>(value),
            .reflector_sent = load_big_endian<std::uint32_t, 8>(value)};
}

void encode_access_report(const AccessReport& report,
                          std::span<std::byte, access_report_bytes> out) noexcept {
    store_big_endian<0>(out, static_cast<std::uint8_t>(report.access_id << access_id_shift));
    store_big_endian<1>(out, report.return_code);
    store_big_endian<2>(out, std::uint16_t{0});
}

AccessReport decode_access_report(std::span<const std::byte, access_report_bytes> value) noexcept {
    const unsigned first = load_big_endian<std::uint8_t, 0>(value);
    return {.access_id = static_cast<std::uint8_t>(first >> access_id_shift),
            .return_code = load_big_endian<std::uint8_t, 1>(value)};
}

bool is_valid(const AccessReport& report) noexcept {
    return report.access_id == access_id_3gpp || report.access_id == access_id_other;
}

void encode_follow_up(const FollowUp& follow_up,
                      std::span<std::byte, follow_up_bytes> out) noexcept {
    store_big_endian<0>(out, follow_up.sequence);
    store_big_endian<4>(out, follow_up.timestamp.bits);
    store_big_endian<12>(out, static_cast<std::uint32_t>(follow_up.method) << 24U);
}

FollowUp decode_follow_up(std::span<const std::byte, follow_up_bytes> value) noexcept {
    return {.sequence = load_big_endian<std::uint32_t, 0>(value),
            .timestamp = {load_big_endian<std::uint64_t, 4>(value)},
            .method = load_big_endian<std::uint8_t, 12>(value)};
}

PrivateTlv private_tlv(std::span<const std::byte> value) noexcept {
    if (value.size() < sizeof(enterprise_number)) return PrivateTlv::malformed;
    const auto number = load_big_endian<std::uint32_t, 0>(value.first<sizeof(std::uint32_t)>());
    if (number != enterprise_number) return PrivateTlv::foreign;
    if (value.size() < private_head_bytes) return PrivateTlv::malformed;
    const auto version = std::to_integer<std::uint8_t>(value[private_version_at]);
    return version == private_version ? PrivateTlv::ours : PrivateTlv::foreign;
}

void encode_exchange(const ExchangeInfo& info, std::span<std::byte, exchange_bytes> out) noexcept {
    store_big_endian<0>(out, enterprise_number);
    store_big_endian<private_version_at>(out, private_version);
    store_big_endian<5>(out, info.flags);
    store_big_endian<6>(out, std::uint16_t{0});
    store_big_endian<8>(out, info.peer_rx_ns);
    store_big_endian<12>(out, info.clock_epoch);
}

ExchangeInfo decode_exchange(std::span<const std::byte, exchange_bytes> value) noexcept {
    return {.flags = load_big_endian<std::uint8_t, 5>(value),
            .peer_rx_ns = load_big_endian<std::uint32_t, 8>(value),
            .clock_epoch = load_big_endian<std::uint32_t, 12>(value)};
}

std::uint32_t saturate_ns(Duration duration) noexcept {
    constexpr std::int64_t largest = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(duration.ns, 0, largest));
}

}  // namespace latmon
