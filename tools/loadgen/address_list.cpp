// SPDX-License-Identifier: Apache-2.0
//
// See address_list.hpp.
#include "loadgen/address_list.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

namespace latmon::loadgen {
namespace {

constexpr std::uint32_t loopback_net = 127;
// 127.255.255.255 is a broadcast address even on loopback.
constexpr std::uint32_t loopback_last = 0x7fff'fffe;
constexpr std::uint32_t any_last = 0xdfff'ffff;  // Before multicast.

}  // namespace

Result<AddressList> AddressList::make(std::string_view base, std::uint32_t count) {
    in_addr parsed{};
    if (::inet_pton(AF_INET, std::string(base).c_str(), &parsed) != 1) {
        return fail(ExitCode::usage,
                    fmt::format("--base {} is no IPv4 address; write one such as 127.1.0.0", base));
    }
    const std::uint32_t base_number = ntohl(parsed.s_addr);
    const std::uint32_t last = base_number >> 24U == loopback_net ? loopback_last : any_last;
    const std::uint32_t room = base_number < last ? last - base_number : 0;
    if (count < 1 || count > room) {
        return fail(ExitCode::usage,
                    fmt::format("--count {} does not fit behind --base {}; write 1 to {}, or "
                                "another base",
                                count, base, room));
    }
    return AddressList(base_number + 1, count);
}

std::string address_text(std::uint32_t address) {
    return fmt::format("{}.{}.{}.{}", address >> 24U, address >> 16U & 0xffU, address >> 8U & 0xffU,
                       address & 0xffU);
}

}  // namespace latmon::loadgen
