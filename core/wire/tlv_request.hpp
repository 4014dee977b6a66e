// SPDX-License-Identifier: Apache-2.0
//
// The TLVs of a request: which of those wanted fit into a packet, where, and their octets. A layout
// is made once per target, at set-up; the octets are written for every packet. Pure; used on
// core-threads; allocates nothing.
#pragma once

#include "wire/tlv_integrity.hpp"
#include "wire/tlv_values.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace latmon {

// Which TLVs: a sum of tlv_set.
using TlvSet = std::uint32_t;

// In the order in which they stand in a packet, and in which they are given room.
namespace tlv_set {
inline constexpr TlvSet none = 0;
inline constexpr TlvSet exchange = 1U << 0U;
inline constexpr TlvSet follow_up = 1U << 1U;
inline constexpr TlvSet timestamp_info = 1U << 2U;
inline constexpr TlvSet class_of_service = 1U << 3U;
inline constexpr TlvSet direct_measurement = 1U << 4U;
inline constexpr TlvSet location = 1U << 5U;
inline constexpr TlvSet access_report = 1U << 6U;
inline constexpr TlvSet hmac = 1U << 7U;  // In an authenticated session it comes by itself.
}  // namespace tlv_set

// What stands behind the base packet: TLVs, HMAC TLV, Extra Padding, and 0 to 3 octets that are no
// TLV. Offsets count from the end of the base packet.
struct TlvLayout {
    TlvSet included = tlv_set::none;
    std::uint32_t packet_bytes = 0;   // Base packet and all.
    std::uint32_t tlv_bytes = 0;      // All behind the base packet.
    std::uint32_t padding_at = 0;     // Of the Extra Padding TLV's header.
    std::uint32_t padding_bytes = 0;  // Of the whole Extra Padding TLV; 0: there is none.
    std::uint32_t hmac_at = 0;        // Of the HMAC TLV's header, if included.
    friend bool operator==(const TlvLayout&, const TlvLayout&) noexcept = default;
};

// Fits what is wanted into `packet_bytes` (at least base_bytes, at most probe_bytes_max), the
// first in the order of tlv_set first; one that does not fit is left out and the next is tried.
// What remains is filled with Extra Padding. 0: the packet is as long as they need. If the session
// is authenticated, TLVs come with an HMAC TLV or not at all (RFC 8972 section 4.8); Extra Padding
// alone needs none. [any-thread]
[[nodiscard]] TlvLayout layout_tlvs(TlvSet wanted, std::uint32_t base_bytes,
                                    std::uint32_t packet_bytes, bool is_authenticated) noexcept;

struct RequestTlvs {
    std::uint32_t sequence = 0;       // Of the base packet: for the HMAC.
    const HmacKey* key = nullptr;     // Needed if the layout includes an HMAC TLV.
    std::uint8_t exchange_flags = 0;  // exchange_flags
    std::uint32_t clock_epoch = 0;
    std::uint8_t reply_dscp = 0;          // Class of Service: wish for the reply, 0..63.
    std::uint32_t sent_count = 0;         // Direct Measurement: packets sent, this one included.
    AccessReport access_report = {1, 1};  // Sent as it is.
};

// How many octets behind the base packet are not padding: all TLVs and the header of Extra Padding.
// [any-thread]
[[nodiscard]] std::uint32_t own_tlv_bytes(const TlvLayout& layout) noexcept;

// Writes all TLVs, each with U=1, M=0, I=0, into the first own_tlv_bytes() octets of `out`, which
// has at least as many. What is behind is padding, and the caller's. [any-thread]
void encode_request_tlvs(const TlvLayout& layout, const RequestTlvs& values,
                         std::span<std::byte> out) noexcept;

}  // namespace latmon
