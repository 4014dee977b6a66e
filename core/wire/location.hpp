// SPDX-License-Identifier: Apache-2.0
//
// The Location TLV (RFC 8972 section 4.2): the sender asks with zeroes, the reflector answers where
// the packet came from and where it arrived, if its operator lets it. Pure; used on core-threads;
// allocates nothing. MAC addresses are never told: a UDP socket does not see them.
//
//   Destination Port(2) Source Port(2), then sub-TLVs with headers like those of TLVs:
//   asked                           answered
//   1 Source MAC, 8 octets          3 Source EUI-64, zero
//   4 Destination IP, 16 octets     5 Destination IPv4 (4, then 12 zero) or 6 Destination IPv6
//   7 Source IP, 16 octets          8 Source IPv4 (4, then 12 zero) or 9 Source IPv6
#pragma once

#include "base/address.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace latmon {

// What latmon asks for: both ports, Source IP and Destination IP.
inline constexpr std::uint32_t location_request_bytes = 44;

struct LocationFacts {
    Endpoint source{};       // Who sent the request.
    Endpoint destination{};  // Which address of ours it was sent to.
    // False: ports and addresses are left zero, which RFC 8972 section 4.2.2 lets a policy ask for.
    bool is_told = false;
};

// Writes the value of a request. [any-thread]
void encode_location_request(std::span<std::byte, location_request_bytes> out) noexcept;

// Turns the value of a request into that of its reply, in place. False, and nothing changed, if it
// is malformed: shorter than 4 octets, or with a sub-TLV that does not lie inside it whole. A
// sub-TLV that is no question gets U=1; one of a wrong length gets M=1, and those behind it stay as
// they are. [any-thread]
[[nodiscard]] bool answer_location(std::span<std::byte> value, const LocationFacts& facts) noexcept;

}  // namespace latmon
