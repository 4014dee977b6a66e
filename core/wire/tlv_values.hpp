// SPDX-License-Identifier: Apache-2.0
//
// What stands in the values of TLVs of fixed length: octets in, values out, and back. Pure; used on
// core-threads; allocates nothing. Section numbers are of RFC 8972.
//
//   3  Timestamp Information, 4.3     Sync Src In(1) Timestamp In(1) Sync Src Out(1) Tstamp Out(1)
//   4  Class of Service, 4.4          DSCP1(6 bits) DSCP2(6) ECN(2) RP(2) Reserved(16)
//   5  Direct Measurement, 4.5        S_TxC(4) R_RxC(4) R_TxC(4)
//   6  Access Report, 4.6             Access ID(4 bits) Resv(4) Return Code(1) Reserved(2)
//   7  Follow-Up Telemetry, 4.7       Sequence Number(4) Timestamp(8) Timestamp Mode(1) Reserved(3)
// 253  latmon's exchange              PEN(4) Version(1) Flags(1) Reserved(2) Peer Rx(4) Epoch(4)
#pragma once

#include "wire/timestamp.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace latmon {

inline constexpr std::uint32_t timestamp_info_bytes = 4;
inline constexpr std::uint32_t class_of_service_bytes = 4;
inline constexpr std::uint32_t direct_measurement_bytes = 12;
inline constexpr std::uint32_t access_report_bytes = 4;
inline constexpr std::uint32_t follow_up_bytes = 16;
inline constexpr std::uint32_t exchange_bytes = 16;

// Section 5.4. A peer may send any other value.
namespace sync_source {
inline constexpr std::uint8_t ntp = 1;
inline constexpr std::uint8_t ptp = 2;
inline constexpr std::uint8_t ssu_bits = 3;
inline constexpr std::uint8_t gnss = 4;
inline constexpr std::uint8_t free_running = 5;
}  // namespace sync_source

// Section 5.5: how a timestamp was obtained. A peer may send any other value.
namespace stamp_method {
inline constexpr std::uint8_t hardware = 1;
inline constexpr std::uint8_t software = 2;
inline constexpr std::uint8_t control_plane = 3;
}  // namespace stamp_method

// The reflector's clock and stamps; a sender sends zeroes.
struct TimestampInfo {
    std::uint8_t sync_source_in = 0;
    std::uint8_t method_in = 0;  // Of T2.
    std::uint8_t sync_source_out = 0;
    std::uint8_t method_out = 0;  // Of T3.
    friend bool operator==(const TimestampInfo&, const TimestampInfo&) noexcept = default;
};
void encode_timestamp_info(const TimestampInfo& info,
                           std::span<std::byte, timestamp_info_bytes> out) noexcept;
[[nodiscard]] TimestampInfo decode_timestamp_info(
    std::span<const std::byte, timestamp_info_bytes> value) noexcept;

struct ClassOfService {
    std::uint8_t dscp1 = 0;  // The sender's wish for the reply, 0..63.
    std::uint8_t dscp2 = 0;  // As the reflector received it, 0..63.
    std::uint8_t ecn = 0;    // As the reflector received it, 0..3 (erratum 8199).
    std::uint8_t rp = 0;     // 1: the reflector did not grant the wish.
    friend bool operator==(const ClassOfService&, const ClassOfService&) noexcept = default;
};
void encode_class_of_service(const ClassOfService& service,
                             std::span<std::byte, class_of_service_bytes> out) noexcept;
[[nodiscard]] ClassOfService decode_class_of_service(
    std::span<const std::byte, class_of_service_bytes> value) noexcept;

// Packets of the session so far; all three wrap.
struct DirectMeasurement {
    std::uint32_t sender_sent = 0;         // S_TxC
    std::uint32_t reflector_received = 0;  // R_RxC
    std::uint32_t reflector_sent = 0;      // R_TxC
    friend bool operator==(const DirectMeasurement&, const DirectMeasurement&) noexcept = default;
};
void encode_direct_measurement(const DirectMeasurement& counts,
                               std::span<std::byte, direct_measurement_bytes> out) noexcept;
[[nodiscard]] DirectMeasurement decode_direct_measurement(
    std::span<const std::byte, direct_measurement_bytes> value) noexcept;

struct AccessReport {
    std::uint8_t access_id = 0;    // 1: 3GPP, 2: not 3GPP; any other is invalid.
    std::uint8_t return_code = 0;  // 1: the network is available, 2: it is not.
    friend bool operator==(const AccessReport&, const AccessReport&) noexcept = default;
};
void encode_access_report(const AccessReport& report,
                          std::span<std::byte, access_report_bytes> out) noexcept;
[[nodiscard]] AccessReport decode_access_report(
    std::span<const std::byte, access_report_bytes> value) noexcept;
[[nodiscard]] bool is_valid(const AccessReport& report) noexcept;

// When the reply before this one really left.
struct FollowUp {
    std::uint32_t sequence = 0;  // That reply's own Sequence Number.
    WireTime timestamp{};        // In the format of the reflector's Z bit.
    std::uint8_t method = 0;     // stamp_method
    friend bool operator==(const FollowUp&, const FollowUp&) noexcept = default;
};
void encode_follow_up(const FollowUp& follow_up,
                      std::span<std::byte, follow_up_bytes> out) noexcept;
[[nodiscard]] FollowUp decode_follow_up(std::span<const std::byte, follow_up_bytes> value) noexcept;

// Private use -----------------------------------------------------------------------------------

// Begins the value of every private TLV of ours (section 4). 32473 is the number kept for
// documentation (RFC 5612); it stands in until one is registered.
inline constexpr std::uint32_t enterprise_number = 32'473;
inline constexpr std::uint8_t private_version = 1;

// What the value of a TLV 252 or 253 begins with.
enum class PrivateTlv : std::uint8_t {
    ours,      // Our number and version.
    foreign,   // Somebody else's number, or a version of ours that we do not know: unrecognised.
    malformed  // Too short for a number, or for our version.
};
[[nodiscard]] PrivateTlv private_tlv(std::span<const std::byte> value) noexcept;

namespace exchange_flags {
inline constexpr std::uint8_t stateful = 0x01;     // The reflector counts this session's replies.
inline constexpr std::uint8_t t2_kernel = 0x02;    // T2 is a stamp of the kernel's.
inline constexpr std::uint8_t t2_hardware = 0x04;  // T2 is a stamp of the network card's.
inline constexpr std::uint8_t t3_kernel = 0x08;  // T3 of the base packet is the kernel's or better.
inline constexpr std::uint8_t synchronized = 0x10;  // The clock is synchronised, by our own rules.
}  // namespace exchange_flags

// What one latmon tells the other with each packet about itself.
struct ExchangeInfo {
    std::uint8_t flags = 0;        // exchange_flags
    std::uint32_t peer_rx_ns = 0;  // Reflector: from the kernel's stamp of the request to our read.
    std::uint32_t clock_epoch = 0;  // Another one whenever the clock was stepped or slewed hard.
    friend bool operator==(const ExchangeInfo&, const ExchangeInfo&) noexcept = default;
};
void encode_exchange(const ExchangeInfo& info, std::span<std::byte, exchange_bytes> out) noexcept;
// Of a value that private_tlv() says is ours.
[[nodiscard]] ExchangeInfo decode_exchange(
    std::span<const std::byte, exchange_bytes> value) noexcept;

// A duration for peer_rx_ns: none below 0, the largest beyond 4.29 s. [any-thread]
[[nodiscard]] std::uint32_t saturate_ns(Duration duration) noexcept;

}  // namespace latmon
