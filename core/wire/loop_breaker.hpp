// SPDX-License-Identifier: Apache-2.0
//
// The loop breaker. A reflector's packet reads as a request too, and one forged datagram would keep
// two reflectors busy with each other for ever: what looks reflected must never be reflected. Both
// directions of an authenticated session share one key, so that an HMAC does not tell them apart
// either. Pure; used on core-threads; allocates nothing.
#pragma once

#include "base/time.hpp"

#include <cstddef>
#include <span>

namespace latmon {

// True if `data`, at least 44 octets, looks like a packet that a reflector made: octets 16-23 (T2)
// and 28-35 (T1 of the sender) both decode, in either format, to a time within a day of `now`. A
// sender has zero there. [any-thread]
[[nodiscard]] bool looks_reflected(std::span<const std::byte> data, WallTime now) noexcept;

// The same of an authenticated packet, at least 112 octets: octets 32-39 and 64-71. [any-thread]
[[nodiscard]] bool looks_reflected_auth(std::span<const std::byte> data, WallTime now) noexcept;

}  // namespace latmon
