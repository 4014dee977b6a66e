// SPDX-License-Identifier: Apache-2.0
//
// Whether a datagram that came to a reflector's port is answered. Everything that can be said
// without a session is said here, cheapest first, and the first reason against it is the one that
// is counted:
//
//   length -> source -> allow-list -> rate -> ancestor -> short -> HMAC -> loop -> error estimate
//
// Runs on a core-thread; allocates nothing; sends nothing and counts nothing itself.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"
#include "probe/allow_list.hpp"
#include "probe/rate_limiter.hpp"
#include "probe/reflector_counters.hpp"
#include "probe/reflector_keys.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace latmon {

// One datagram as it came from the kernel.
struct Arrival {
    std::span<const std::byte> data;
    Endpoint source;
    const HmacKey* key = nullptr;  // Of ReflectorKeys, for this source.
    bool is_truncated = false;     // MSG_TRUNC: the kernel cut it.
    Instant now;
    WallTime wall_now;  // Only for the loop breaker: right within a day is right enough.
};

// What admission asks; all owned by the reflector of this core.
struct AdmissionRules {
    const AllowList& allow_list;
    RateLimiter& rate_limiter;
    std::span<const std::uint16_t> own_ports;  // Every port that a reflector of ours listens on.
    const ReflectorConfig& policy;
    const ReflectorKeys& keys;
};

// ReflectReason::reflected if the datagram is to be answered, else why not. A datagram that is
// admitted is the ancestor's, by decode_ancestor(), and its reply has as many octets; or it has at
// least 44 octets, or 14 if its source is provisioned, and its reply has as many, but at least 44.
// One that must be authenticated is never the ancestor's. [core-thread]
[[nodiscard]] ReflectReason admit(const AdmissionRules& rules, const Arrival& arrival) noexcept;

// Whether what a peer says its name is may become a label of samples: where anybody may be
// reflected, only whom the operator named; labels from the network are a way to flood whoever
// keeps a series per label. [core-thread]
[[nodiscard]] bool may_name_itself(const AdmissionRules& rules,
                                   const AddressBytes& source) noexcept;

}  // namespace latmon
