// SPDX-License-Identifier: Apache-2.0
//
// See prefix_set.hpp. Addresses in network order compare as the numbers they are.
#include "probe/prefix_set.hpp"

#include <algorithm>

namespace latmon {
namespace {

// The highest address of a prefix: every bit behind its length set.
AddressBytes last_of(const Prefix& prefix) noexcept {
    AddressBytes last = prefix.address;
    for (unsigned bit = prefix.bits; bit < 128; ++bit) {
        last[bit / 8] = static_cast<std::uint8_t>(last[bit / 8] | (0x80U >> (bit % 8)));
    }
    return last;
}

}  // namespace

PrefixSet::PrefixSet(std::span<const Prefix> prefixes) {
    Ranges ipv4;
    Ranges ipv6;
    for (const Prefix& prefix : prefixes) {
        Ranges& ranges = is_ipv4(prefix.address) ? ipv4 : ipv6;
        ranges.push_back({.first = prefix.address, .last = last_of(prefix)});
    }
    ipv4_ = merge(std::move(ipv4));
    ipv6_ = merge(std::move(ipv6));
}

PrefixSet::Ranges PrefixSet::merge(Ranges ranges) {
    std::sort(ranges.begin(), ranges.end(),
              [](const Range& a, const Range& b) { return a.first < b.first; });
    Ranges merged;
    for (const Range& range : ranges) {
        // Two prefixes are apart, or one holds the other.
        if (!merged.empty() && range.last <= merged.back().last) continue;
        merged.push_back(range);
    }
    return merged;
}

bool PrefixSet::contains(const AddressBytes& address) const noexcept {
    const Ranges& ranges = is_ipv4(address) ? ipv4_ : ipv6_;
    const auto behind =
        std::upper_bound(ranges.begin(), ranges.end(), address,
                         [](const AddressBytes& a, const Range& range) { return a < range.first; });
    return behind != ranges.begin() && address <= std::prev(behind)->last;
}

}  // namespace latmon
