// SPDX-License-Identifier: Apache-2.0
//
// STAMP packets with authentication (RFC 8762 sections 4.2.2, 4.3.2 and 4.4) with the session id of
// RFC 8972. Octets in, values out, and back; pure; used on core-threads; allocates nothing. The
// values are those of stamp.hpp. Nothing here guards against a packet that is sent again: an HMAC
// says who made it, not when (RFC 8972 section 6).
//
//   Session-Sender, 112 octets                Session-Reflector, 112 octets
//    0  Sequence Number           4            0  Sequence Number           4   the reflector's own
//    4  MBZ                      12            4  MBZ                      12
//   16  T1                        8           16  T3                        8
//   24  Error Estimate            2           24  Error Estimate            2
//   26  SSID                      2           26  SSID                      2
//   28  MBZ                      68           28  MBZ                       4
//                                             32  T2                        8
//                                             40  MBZ                       8
//                                             48  Sender Sequence Number    4
//                                             52  MBZ                      12
//                                             64  Sender Timestamp, T1      8
//                                             72  Sender Error Estimate     2
//                                             74  MBZ                       6
//                                             80  Sender TTL                1
//                                             81  MBZ                      15
//   96  HMAC over octets 0-95    16           96  HMAC over octets 0-95    16
//  112  TLVs ...                             112  TLVs ...
#pragma once

#include "wire/hmac.hpp"
#include "wire/stamp.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace latmon {

inline constexpr std::uint32_t stamp_auth_base_bytes = 112;

using StampAuthBase = std::span<std::byte, stamp_auth_base_bytes>;

// Write a whole base packet, sealed. [any-thread]
void encode_sender_auth(const SenderPacket& packet, const HmacKey& key, StampAuthBase out) noexcept;
void encode_reflector_auth(const ReflectorPacket& packet, const HmacKey& key,
                           StampAuthBase out) noexcept;

// True if `data` holds a whole base packet (112 octets or more) that was sealed with `key`, MBZ
// octets and all. To be asked before anything else is believed of it (RFC 8762 section 4.4). Says
// nothing about TLVs, which have an HMAC of their own. [any-thread]
[[nodiscard]] bool verify_auth(std::span<const std::byte> data, const HmacKey& key) noexcept;

// Nothing if shorter than 112 octets: without its HMAC a packet is worth nothing. They do not
// verify. [any-thread]
[[nodiscard]] std::optional<SenderPacket> decode_sender_auth(
    std::span<const std::byte> data) noexcept;
[[nodiscard]] std::optional<ReflectorPacket> decode_reflector_auth(
    std::span<const std::byte> data) noexcept;

// Either mode ------------------------------------------------------------------------------------

// What a session speaks is decided by whether it has a key; null: unauthenticated. These choose
// between the functions above and those of stamp.hpp. [any-thread]
[[nodiscard]] std::size_t base_bytes_of(const HmacKey* key) noexcept;

// `out` has at least base_bytes_of(key) octets, of which these are written.
void encode_sender(const SenderPacket& packet, const HmacKey* key,
                   std::span<std::byte> out) noexcept;
void encode_reflector(const ReflectorPacket& packet, const HmacKey* key,
                      std::span<std::byte> out) noexcept;

// They do not verify: see verify_auth().
[[nodiscard]] std::optional<SenderPacket> decode_sender(std::span<const std::byte> data,
                                                        const HmacKey* key) noexcept;
[[nodiscard]] std::optional<ReflectorPacket> decode_reflector(std::span<const std::byte> data,
                                                              const HmacKey* key) noexcept;

}  // namespace latmon
