// SPDX-License-Identifier: Apache-2.0
//
// socket(2), setsockopt(2), bind(2) and getsockopt(2) as the two modes need them, with errors that
// name the address. All sockets are non-blocking. Nothing is sent or received here, but for a
// datagram to ourselves that proves that the kernel stamps what arrives: the first socket waits for
// that.
#pragma once

#include "base/address.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace latmon::loadgen {

// An address literal or a name, which is looked up; the first address counts. An error if it is
// neither loopback, private, link-local nor for documentation or benchmarks (RFC 5737, RFC 2544):
// a load is for a host of one's own. [main-thread; may block]
[[nodiscard]] Result<Endpoint> find_target(const std::string& host, std::uint16_t port);

// What a load has when it listens, and when it probes.
struct ListenOptions {
    std::uint16_t port = 0;
    bool is_ipv6 = false;  // All of IPv6 alone, else all of IPv4.
};
struct ProbePath {
    Endpoint target;
    std::optional<AddressBytes> source;  // Nothing: as the kernel chooses.
};

// UDP, telling where each datagram was sent to, its TTL, and when the kernel had it; several may
// share a port.
[[nodiscard]] Result<Fd> open_reflecting_udp(const ListenOptions& options);

// Its connections tell when the kernel had what they read.
[[nodiscard]] Result<Fd> open_listener(const ListenOptions& options);

// UDP, connected, with the kernel's time of arrival.
[[nodiscard]] Result<Fd> open_probing_udp(const ProbePath& path);

// TCP, its handshake begun, without Nagle's delay, with the kernel's time of arrival.
[[nodiscard]] Result<Fd> begin_connect(const ProbePath& path);

// Datagrams that the kernel dropped because this socket's buffer was full, so far.
[[nodiscard]] std::uint64_t kernel_drops(const Fd& socket) noexcept;

}  // namespace latmon::loadgen
