// SPDX-License-Identifier: Apache-2.0
//
// How many octets a probe's packet takes, and which TLVs a packet of a given size has room for. The
// layouts are the wire's, which this layer does not see (wire/tlv_request.hpp lays out by the same
// rule); here are only their lengths, so that a file can be judged before a packet is made. Pure.
#pragma once

#include "base/limits.hpp"
#include "config/config.hpp"

#include <cstdint>

namespace latmon {

// Whether such probes are STAMP with all that goes with it, or may come to be. [any-thread]
[[nodiscard]] constexpr bool speaks_stamp(ProbeProtocol protocol) noexcept {
    return protocol == ProbeProtocol::stamp || protocol == ProbeProtocol::automatic;
}
// The same of the ancestor's format. [any-thread]
[[nodiscard]] constexpr bool speaks_ancestor(ProbeProtocol protocol) noexcept {
    return protocol == ProbeProtocol::ancestor || protocol == ProbeProtocol::automatic;
}

// What decides over the size of a packet.
struct ProbeShape {
    ProbeProtocol protocol = ProbeProtocol::stamp;
    bool is_authenticated = false;
    std::uint32_t tlvs = 0;  // tlv_..._bit
};

// The shape of a target's UDP probes. Those over TCP are never TWAMP-Light.
[[nodiscard]] ProbeShape shape_of(const TargetConfig& target) noexcept;

// The least that holds a probe, TLVs left out: 14, 44 or 112 octets. Of the ancestor's packets 0:
// how long their head is decides the name in it.
[[nodiscard]] std::uint32_t probe_bytes_min(const ProbeShape& shape) noexcept;

// What the probe takes with all of its TLVs and no padding. TWAMP-Light is padded to 44 octets, so
// that its reply is no longer than the request. Of the ancestor's packets 0, as above.
[[nodiscard]] std::uint32_t probe_bytes_needed(const ProbeShape& shape) noexcept;

// Those of the shape's TLVs that a packet of `size_bytes` has room for, given room in the order of
// their bits; one that does not fit leaves its room to those behind it.
[[nodiscard]] std::uint32_t tlvs_within(const ProbeShape& shape, std::uint32_t size_bytes) noexcept;

}  // namespace latmon
