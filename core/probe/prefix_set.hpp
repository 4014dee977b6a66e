// SPDX-License-Identifier: Apache-2.0
//
// Many prefixes as one question: is this address in any of them? They are kept as ranges of
// addresses that do not overlap, in order, so that a look-up is a binary search however many lines
// an operator wrote. Built once on the main-thread or in a core-thread's set-up; allocates nothing
// after.
#pragma once

#include "base/address.hpp"

#include <span>
#include <vector>

namespace latmon {

class PrefixSet {
public:
    // [set-up]
    explicit PrefixSet(std::span<const Prefix> prefixes);

    // An IPv6 prefix holds IPv6 addresses only: "::/0" does not let IPv4 in, although IPv4 stands
    // below ::ffff:0:0/96 in the 128-bit form. [core-thread]
    [[nodiscard]] bool contains(const AddressBytes& address) const noexcept;

private:
    struct Range {
        AddressBytes first{};
        AddressBytes last{};  // Included.
    };
    using Ranges = std::vector<Range>;  // Ascending; none overlaps another.

    [[nodiscard]] static Ranges merge(Ranges ranges);

    Ranges ipv4_;
    Ranges ipv6_;
};

}  // namespace latmon
