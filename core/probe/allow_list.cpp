// SPDX-License-Identifier: Apache-2.0
//
// See allow_list.hpp.
#include "probe/allow_list.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace latmon {
namespace {

constexpr std::size_t places_min = 8;

bool is_none(const AddressBytes& address) noexcept {
    return address == AddressBytes{};
}

// 127.0.0.0/8 and ::1.
bool is_loopback(const AddressBytes& address) noexcept {
    if (is_ipv4(address)) return address[12] == 127;
    AddressBytes ipv6_loopback{};
    ipv6_loopback.back() = 1;
    return address == ipv6_loopback;
}

}  // namespace

AllowList::AllowList(const ReflectorConfig& config, std::uint32_t target_slots, HashKey key)
    : allows_any_(config.allow_any),
      allowed_(config.allow),
      service_sources_(config.service_source_allow),
      key_(key),
      slot_addresses_(target_slots),
      places_(std::max(places_min, std::bit_ceil(std::size_t{target_slots} * 2))) {}

void AllowList::set_target_address(std::uint32_t slot, const AddressBytes& address) noexcept {
    LATMON_ASSERT(slot < slot_addresses_.size());
    AddressBytes& current = slot_addresses_[slot];
    if (current == address) return;
    if (!is_none(current)) remove(current);
    if (!is_none(address)) add(address);
    current = address;
}

bool AllowList::is_allowed(const AddressBytes& address) const noexcept {
    return allows_any_ || allowed_.contains(address) || places_[find(address)].slots > 0;
}

bool AllowList::is_provisioned(const AddressBytes& address) const noexcept {
    return is_loopback(address) || places_[find(address)].slots > 0;
}

bool AllowList::is_service_source_allowed(const AddressBytes& address) const noexcept {
    return service_sources_.contains(address);
}

std::size_t AllowList::home_of(const AddressBytes& address) const noexcept {
    std::array<std::uint64_t, 2> words;
    static_assert(sizeof(words) == sizeof(address));
    std::memcpy(words.data(), address.data(), sizeof(words));
    return keyed_hash(key_, words) & (places_.size() - 1);
}

std::size_t AllowList::find(const AddressBytes& address) const noexcept {
    std::size_t place = home_of(address);
    while (places_[place].slots > 0 && places_[place].address != address) {
        place = (place + 1) & (places_.size() - 1);
    }
    return place;
}

void AllowList::add(const AddressBytes& address) noexcept {
    Place& place = places_[find(address)];
    place.address = address;
    ++place.slots;
}

// Leaves no tombstone: whoever stands behind the hole, and was pushed past it from its home, moves
// into it (Knuth, The Art of Computer Programming volume 3, algorithm 6.4 R).
void AllowList::remove(const AddressBytes& address) noexcept {
    const std::size_t mask = places_.size() - 1;
    std::size_t hole = find(address);
    LATMON_ASSERT(places_[hole].slots > 0);
    if (--places_[hole].slots > 0) return;
    for (std::size_t place = (hole + 1) & mask; places_[place].slots > 0;
         place = (place + 1) & mask) {
        const std::size_t from_home = (place - home_of(places_[place].address)) & mask;
        const std::size_t from_hole = (place - hole) & mask;
        if (from_home < from_hole) continue;  // Its home lies behind the hole.
        places_[hole] = places_[place];
        places_[place].slots = 0;
        hole = place;
    }
}

}  // namespace latmon
