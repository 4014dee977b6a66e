// SPDX-License-Identifier: Apache-2.0
//
// See rate_limiter.hpp.
#include "probe/rate_limiter.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <bit>
#include <span>

namespace latmon {
namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;

// 8 slots are two cache lines, fetched together.
constexpr std::size_t ways = 8;
constexpr std::size_t sets = limits::rate_slots_per_core / ways;
static_assert(std::has_single_bit(sets) && sets * ways == limits::rate_slots_per_core);

// An IPv4 address, or the /64 of an IPv6 one: a host has a whole /64 to send from. The mark for
// IPv4 lies in ff00::/8, multicast, which is nobody's source.
std::uint64_t source_of(const AddressBytes& address) noexcept {
    const std::size_t first = is_ipv4(address) ? 12 : 0;
    const std::size_t end = is_ipv4(address) ? 16 : 8;
    std::uint64_t source = is_ipv4(address) ? 0xffff'ffffU : 0;
    for (std::size_t index = first; index < end; ++index) {
        source = source << 8U | address[index];
    }
    return source;
}

std::uint64_t total_burst(std::uint32_t per_s) noexcept {
    constexpr std::uint64_t fraction = ns_per_s / limits::rate_total_burst_ns;
    return std::max<std::uint64_t>(per_s / fraction, 1);
}

}  // namespace

RateLimiter::Pace::Pace(std::uint32_t per_s, std::uint64_t burst) noexcept {
    LATMON_ASSERT(per_s > 0 && burst > 0);
    interval.ns = (ns_per_s + per_s - 1) / per_s;
    ahead_max = interval * static_cast<std::int64_t>(burst - 1);
}

RateLimiter::RateLimiter(const ReflectorConfig& config, HashKey key)
    : source_pace_(config.rate_per_source, config.burst_per_source),
      total_pace_(config.rate_total, total_burst(config.rate_total)),
      key_(key),
      slots_(limits::rate_slots_per_core) {}

RateVerdict RateLimiter::admit(const AddressBytes& source, Instant now) noexcept {
    Slot& slot = slot_of(source_of(source));
    if (!source_pace_.allows(slot.full_at, now)) return RateVerdict::source_limited;
    const RateVerdict verdict = admit_provisioned(now);
    if (verdict == RateVerdict::ok) slot.full_at = source_pace_.after_one(slot.full_at, now);
    return verdict;
}

RateVerdict RateLimiter::admit_provisioned(Instant now) noexcept {
    if (!total_pace_.allows(total_full_at_, now)) return RateVerdict::total_limited;
    total_full_at_ = total_pace_.after_one(total_full_at_, now);
    return RateVerdict::ok;
}

RateLimiter::Slot& RateLimiter::slot_of(std::uint64_t source) noexcept {
    const std::size_t set = keyed_hash(key_, {&source, 1}) & (sets - 1);
    const std::span<Slot> candidates(slots_.data() + set * ways, ways);
    Slot* fullest = &candidates.front();
    for (Slot& slot : candidates) {
        if (slot.source == source) return slot;
        if (slot.full_at < fullest->full_at) fullest = &slot;
    }
    fullest->source = source;  // With what is missing from the bucket: see the header.
    return *fullest;
}

}  // namespace latmon
