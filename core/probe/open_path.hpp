// SPDX-License-Identifier: Apache-2.0
//
// What the probes share about opening a path to their target: the socket that a plan asks for,
// which errors may belong to an earlier packet, and which are this host's own. Pure; used on
// core-threads.
#pragma once

#include "config/plan.hpp"
#include "reactor/ring.hpp"

#include <cerrno>
#include <cstdint>
#include <limits>

namespace latmon {

// The socket that the plan asks for, to `remote`. Borrows the plan's interface name.
[[nodiscard]] inline SocketOptions path_options(const ProbePlan& plan,
                                                const Endpoint& remote) noexcept {
    return {.local = plan.source.value_or(Endpoint{}),
            .remote = remote,
            .interface = plan.interface.c_str(),
            .dscp = plan.dscp,
            .is_ipv6 = !is_ipv4(remote.address)};
}

// Errors that ICMP brings (icmp(7)): they may belong to an earlier packet.
[[nodiscard]] constexpr bool is_network_error(int error_number) noexcept {
    switch (error_number) {
        case ECONNREFUSED:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EHOSTDOWN:
        case ENONET:
        case ENOPROTOOPT:
        case EOPNOTSUPP:
        case EACCES:
        case EPROTO:
        case EMSGSIZE:
            return true;
        default:
            return false;
    }
}

// Of connect(2): no SYN left this host: no port, no permission, no memory. ENETUNREACH is not among
// them, because ICMP brings it too.
[[nodiscard]] constexpr bool is_local_error(int error_number) noexcept {
    switch (error_number) {
        case EADDRNOTAVAIL:
        case EPERM:
        case EACCES:
        case EINVAL:
        case EAFNOSUPPORT:
        case ENOBUFS:
        case ENOMEM:
            return true;
        default:
            return false;
    }
}

// The number of consecutive failures for the time after: twice as many, without wrapping.
[[nodiscard]] constexpr std::uint32_t later_reopen(std::uint32_t failures) noexcept {
    constexpr std::uint32_t largest = std::numeric_limits<std::uint32_t>::max();
    return failures > largest / 2 ? largest : failures * 2;
}

}  // namespace latmon
