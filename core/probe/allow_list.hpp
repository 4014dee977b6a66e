// SPDX-License-Identifier: Apache-2.0
//
// Whom the reflector answers: the operator's prefixes and the addresses of the configured targets.
// A target is a name as often as not, so its address may change at run time; each target has a slot
// of its own whose address is replaced when the resolver finds another.
//
// One per core-thread. Allocates when it is built, never after; a look-up is a binary search over
// the prefixes and one hash-table look-up, however many targets there are.
#pragma once

#include "base/address.hpp"
#include "base/keyed_hash.hpp"
#include "config/config.hpp"
#include "probe/prefix_set.hpp"

#include <cstdint>
#include <vector>

namespace latmon {

class AllowList {
public:
    // `target_slots` is how many targets there are over all cores; none has an address yet.
    // [set-up]
    AllowList(const ReflectorConfig& config, std::uint32_t target_slots, HashKey key);

    // `slot` < target_slots now has this address and no longer the one before; all zero: none. Two
    // slots may have the same address. [core-thread]
    void set_target_address(std::uint32_t slot, const AddressBytes& address) noexcept;

    // True if `address` may be answered at all: in an allowed prefix, or a target's, or anybody
    // may. [core-thread]
    [[nodiscard]] bool is_allowed(const AddressBytes& address) const noexcept;

    // True for loopback and for a target's own address: known to be ours, and so exempt from the
    // limit per source. [core-thread]
    [[nodiscard]] bool is_provisioned(const AddressBytes& address) const noexcept;

    // True if `address` may send from a port below 1024. [core-thread]
    [[nodiscard]] bool is_service_source_allowed(const AddressBytes& address) const noexcept;

    // True if `allow = ["any"]`: the rest of the reflector is then stricter. [core-thread]
    [[nodiscard]] bool allows_any() const noexcept { return allows_any_; }

private:
    // A place in the table of target addresses: open addressing with linear probing, at most half
    // full, so that a search ends after a place or two.
    struct Place {
        AddressBytes address{};
        std::uint32_t slots = 0;  // How many slots have this address; 0: the place is free.
    };

    [[nodiscard]] std::size_t home_of(const AddressBytes& address) const noexcept;
    // Where the address is, or the free place where it would go.
    [[nodiscard]] std::size_t find(const AddressBytes& address) const noexcept;
    void add(const AddressBytes& address) noexcept;
    void remove(const AddressBytes& address) noexcept;

    bool allows_any_;
    PrefixSet allowed_;
    PrefixSet service_sources_;
    HashKey key_;
    std::vector<AddressBytes> slot_addresses_;  // All zero: none.
    std::vector<Place> places_;                 // A power of two.
};

}  // namespace latmon
