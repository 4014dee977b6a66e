// SPDX-License-Identifier: Apache-2.0
//
// Which sources must authenticate, and with which key. Built in set-up; used on one core-thread;
// allocates nothing after construction.
#pragma once

#include "probe/prefix_set.hpp"
#include "wire/hmac.hpp"

#include <vector>

namespace latmon {

class ReflectorKeys {
public:
    // `key` outlives this. The first that holds an address counts. [set-up]
    void add(std::span<const Prefix> prefixes, const HmacKey* key) {
        entries_.push_back({PrefixSet(prefixes), key});
    }

    // Null: this source need not authenticate, and would not be understood if it did.
    // [core-thread]
    [[nodiscard]] const HmacKey* find(const AddressBytes& address) const noexcept {
        for (const Entry& entry : entries_) {
            if (entry.prefixes.contains(address)) return entry.key;
        }
        return nullptr;
    }

    [[nodiscard]] bool is_empty() const noexcept { return entries_.empty(); }

private:
    struct Entry {
        PrefixSet prefixes;
        const HmacKey* key;
    };
    std::vector<Entry> entries_;
};

}  // namespace latmon
