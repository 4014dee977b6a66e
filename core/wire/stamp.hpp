// SPDX-License-Identifier: Apache-2.0
//
// STAMP packets without authentication (RFC 8762 sections 4.2.1 and 4.3.1) with the session id and
// TLVs of RFC 8972. Octets in, values out, and back; pure; used on core-threads; allocates nothing.
//
//   Session-Sender, 44 octets                 Session-Reflector, 44 octets
//    0  Sequence Number           4            0  Sequence Number           4   the reflector's own
//    4  T1                        8            4  T3                        8
//   12  Error Estimate            2           12  Error Estimate            2
//   14  SSID                      2           14  SSID                      2
//   16  MBZ                      28           16  T2                        8
//   44  TLVs ...                              24  Sender Sequence Number    4
//                                             28  Sender Timestamp, T1      8
//                                             36  Sender Error Estimate     2
//                                             38  MBZ                       2
//                                             40  Sender TTL                1
//                                             41  MBZ                       3
//                                             44  TLVs ...
//
//   TLV (RFC 8972 section 4): Flags(1) U M I R R R R R, Type(1), Length(2) of the value, Value.
//
// All numbers are big-endian. MBZ octets are zero when sent and ignored when received.
#pragma once

#include "base/limits.hpp"
#include "wire/loop_breaker.hpp"
#include "wire/timestamp.hpp"
#include "wire/tlv.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace latmon {

struct SenderPacket {
    std::uint32_t sequence = 0;
    WireTime t1;
    std::uint16_t error_estimate = 0;  // Encoded: see timestamp.hpp.
    std::uint16_t ssid = 0;            // 0: not used, or the packet is too short to have one.
    friend bool operator==(const SenderPacket&, const SenderPacket&) noexcept = default;
};

struct ReflectorPacket {
    std::uint32_t sequence = 0;
    WireTime t3;
    std::uint16_t error_estimate = 0;
    std::uint16_t ssid = 0;
    WireTime t2;
    std::uint32_t sender_sequence = 0;
    WireTime sender_t1;
    std::uint16_t sender_error_estimate = 0;
    std::uint8_t sender_ttl = 0;  // 0: the reflector does not tell.
    friend bool operator==(const ReflectorPacket&, const ReflectorPacket&) noexcept = default;
};

using StampBase = std::span<std::byte, limits::stamp_base_bytes>;

void encode_sender(const SenderPacket& packet, StampBase out) noexcept;
void encode_reflector(const ReflectorPacket& packet, StampBase out) noexcept;

// Nothing if shorter than stamp_request_bytes_min (14); octets that are missing read as zero.
[[nodiscard]] std::optional<SenderPacket> decode_sender(std::span<const std::byte> data) noexcept;

// Nothing if shorter than stamp_reply_bytes_min (38), which holds all four stamps.
[[nodiscard]] std::optional<ReflectorPacket> decode_reflector(
    std::span<const std::byte> data) noexcept;

// TLVs ------------------------------------------------------------------------------------------

// The octets behind a sender's base packet that make it `packet_bytes` long: one Extra Padding TLV,
// whose value the caller leaves zero. Writes its header to `out` and returns how many octets of it
// were written: 4, or less if there is no room for a header (1..3 trailing octets are no TLV and
// are left zero), or 0 for a bare base packet. `packet_bytes` is in [44, probe_bytes_max].
[[nodiscard]] std::uint32_t encode_padding_header(
    std::uint32_t packet_bytes, std::span<std::byte, tlv_header_bytes> out) noexcept;

// Turns the TLVs of a request into those of its reply, in place, by RFC 8972 section 4: known and
// fine U=M=I=0, unknown U=1, a length beyond the end M=1 and the rest copied as it is. 1..3 octets
// at the end stay as they are. Returns the number of TLVs walked. Never grows.
std::uint32_t reflect_tlvs(std::span<std::byte> tlvs) noexcept;

}  // namespace latmon
