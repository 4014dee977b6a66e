// SPDX-License-Identifier: Apache-2.0
//
// See loop_breaker.hpp.
#include "wire/loop_breaker.hpp"

#include "wire/octets.hpp"
#include "wire/timestamp.hpp"

#include <cstdint>

namespace latmon {
namespace {

constexpr Duration loop_margin = Duration::from_s(86'400);

bool is_within_margin(WallTime time, WallTime now) noexcept {
    return time > now - loop_margin && time < now + loop_margin;
}

// In either format, whatever the Z bits claim: they are the attacker's to choose. All zero is "no
// time" (RFC 5905 section 6), and what a sender has there; without this exception senders would
// look like reflectors for the two days around 2036-02-07, when the era begins at zero.
bool is_recent(WireTime time, WallTime now) noexcept {
    if (time.bits == 0) return false;
    // The leap seconds between TAI and UTC vanish in the margin.
    return is_within_margin(from_ntp(time, now), now) ||
           is_within_margin(from_ptp(time, now, Duration{}), now);
}

// Where a reflector's packet of `base_bytes` has T2 and the sender's T1.
template <std::size_t base_bytes, std::size_t t2_at, std::size_t t1_at>
bool has_recent_times(std::span<const std::byte> data, WallTime now) noexcept {
    if (data.size() < base_bytes) return false;
    const std::span<const std::byte, base_bytes> base = data.first<base_bytes>();
    return is_recent({load_big_endian<std::uint64_t, t2_at>(base)}, now) &&
           is_recent({load_big_endian<std::uint64_t, t1_at>(base)}, now);
}

}  // namespace

bool looks_reflected(std::span<const std::byte> data, WallTime now) noexcept {
    return has_recent_times<44, 16, 28>(data, now);
}

bool looks_reflected_auth(std::span<const std::byte> data, WallTime now) noexcept {
    return has_recent_times<112, 32, 64>(data, now);
}

}  // namespace latmon
