// SPDX-License-Identifier: Apache-2.0
//
// Opens sockets the way latmon wants them, with plain system calls that never block: the ring then
// drives them. Used while a core-thread sets up, and by it later when a path is opened anew, so
// errors are errno values and nothing allocates.
#pragma once

#include "base/fd.hpp"
#include "reactor/ring.hpp"

namespace latmon {

// A UDP socket that reports TTL and traffic class of what it receives and keeps ICMP errors apart
// (IP_RECVERR), bound and connected as asked. [core-thread]
[[nodiscard]] Outcome<Fd> open_udp_socket(const SocketOptions& options) noexcept;

// A TCP socket with TCP_NODELAY, bound if asked, not connected. [core-thread]
[[nodiscard]] Outcome<Fd> open_tcp_socket(const SocketOptions& options) noexcept;

// A listening TCP socket. [core-thread]
[[nodiscard]] Outcome<Fd> open_tcp_listener(const SocketOptions& options) noexcept;

}  // namespace latmon
