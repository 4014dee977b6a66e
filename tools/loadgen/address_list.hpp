// SPDX-License-Identifier: Apache-2.0
//
// Consecutive addresses behind a base, of simulated targets or of senders. All of 127.0.0.0/8 is
// there without configuring anything; IPv6 has one loopback address, and more of them take a route
// of type `local`. Pure; immutable; any thread.
#pragma once

#include "base/address.hpp"
#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace latmon::loadgen {

// The options that a base and a count were given by, for an error to name.
struct AddressOptionNames {
    std::string_view base = "--base";
    std::string_view count = "--count";
};

class AddressList {
public:
    // `base` is an IPv4 or IPv6 literal; the first is the address behind it. An error, which speaks
    // of the options, if `count` is 0 or the list would leave the address space of unicast,
    // 127.0.0.0/8 if it begins there, or the last 64 bits.
    [[nodiscard]] static Result<AddressList> make(std::string_view base, std::uint32_t count,
                                                  const AddressOptionNames& names = {});

    [[nodiscard]] std::uint32_t size() const noexcept { return count_; }
    [[nodiscard]] bool is_ipv6() const noexcept { return !is_ipv4(first_); }

    // `index` < size().
    [[nodiscard]] AddressBytes at(std::uint32_t index) const noexcept;
    // Which of them it is; nothing if it is none.
    [[nodiscard]] std::optional<std::uint32_t> index_of(const AddressBytes& address) const noexcept;

private:
    AddressList(const AddressBytes& first, std::uint32_t count) noexcept
        : first_(first), count_(count) {}

    AddressBytes first_;
    std::uint32_t count_;
};

}  // namespace latmon::loadgen
