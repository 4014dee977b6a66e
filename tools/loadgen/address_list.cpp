// SPDX-License-Identifier: Apache-2.0
//
// See address_list.hpp. Counting is done in the last 64 bits, which hold all of IPv4.
#include "loadgen/address_list.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <limits>

namespace latmon::loadgen {
namespace {

constexpr std::size_t low_at = 8;
constexpr std::uint64_t ipv4_mapped = 0xffff'0000'0000;
constexpr std::uint32_t loopback_net = 127;
// 127.255.255.255 is a broadcast address even on loopback.
constexpr std::uint64_t loopback_last = ipv4_mapped | 0x7fff'fffe;
constexpr std::uint64_t any_last = ipv4_mapped | 0xdfff'ffff;  // Before multicast.

std::uint64_t low_of(const AddressBytes& address) noexcept {
    std::uint64_t low = 0;
    for (std::size_t index = low_at; index < address.size(); ++index) {
        low = low << 8U | address[index];
    }
    return low;
}

AddressBytes with_low(AddressBytes address, std::uint64_t low) noexcept {
    for (std::size_t index = address.size(); index > low_at; low >>= 8U) {
        address[--index] = static_cast<std::uint8_t>(low);
    }
    return address;
}

std::uint64_t last_of(const AddressBytes& base) noexcept {
    if (!is_ipv4(base)) return std::numeric_limits<std::uint64_t>::max();
    return (low_of(base) >> 24U & 0xffU) == loopback_net ? loopback_last : any_last;
}

}  // namespace

Result<AddressList> AddressList::make(std::string_view base, std::uint32_t count,
                                      const AddressOptionNames& names) {
    const std::optional<Endpoint> parsed = parse_endpoint(base, 0);
    if (!parsed || parsed->scope_id != 0 || is_multicast(parsed->address)) {
        return fail(ExitCode::usage,
                    fmt::format("{} {} is no address; write one such as 127.1.0.0, or fd00:1:: "
                                "after `ip -6 route add local fd00:1::/64 dev lo`",
                                names.base, base));
    }
    const std::uint64_t low = low_of(parsed->address);
    const std::uint64_t last = last_of(parsed->address);
    const std::uint64_t room = low < last ? last - low : 0;
    if (count < 1 || count > room) {
        return fail(ExitCode::usage,
                    fmt::format("{} {} does not fit behind {} {}; write 1 to {}, or another base",
                                names.count, count, names.base, base, room));
    }
    return AddressList(with_low(parsed->address, low + 1), count);
}

AddressBytes AddressList::at(std::uint32_t index) const noexcept {
    return with_low(first_, low_of(first_) + index);
}

std::optional<std::uint32_t> AddressList::index_of(const AddressBytes& address) const noexcept {
    if (!std::equal(first_.begin(), first_.begin() + low_at, address.begin())) return std::nullopt;
    const std::uint64_t distance = low_of(address) - low_of(first_);  // Below it wraps.
    if (distance >= count_) return std::nullopt;
    return static_cast<std::uint32_t>(distance);
}

}  // namespace latmon::loadgen
