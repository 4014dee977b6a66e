// SPDX-License-Identifier: Apache-2.0
//
// Reads the control messages that the kernel hands out beside a packet (cmsg(3)): TTL, traffic
// class, local address, time stamps, and the error queue's entries. Used on core-threads.
#pragma once

#include "reactor/ring.hpp"

#include <sys/socket.h>
#include <optional>

namespace latmon {

// A time stamp as the kernel gives it, in two numbers, as one.
[[nodiscard]] WallTime wall_time(std::int64_t seconds, std::int64_t nanoseconds) noexcept;

// What a SCM_TSTAMP_ of linux/errqueue.h means.
[[nodiscard]] StampPoint stamp_point(std::uint32_t type) noexcept;

// The kernel's stamp of a received message, CLOCK_REALTIME; none: it took none. [core-thread]
[[nodiscard]] std::optional<WallTime> arrival_in(const msghdr& header) noexcept;

// Adds to `datagram` what one control message says; unknown ones are passed over.
void read_control(const cmsghdr& control, Datagram& datagram) noexcept;

// Reads one entry of the error queue of the descriptor `fd`, without waiting: recvmsg(2) with
// MSG_ERRQUEUE. EAGAIN: there is none. Neither an error nor a stamp: a stamp that nobody asked for.
// [core-thread]
[[nodiscard]] Outcome<SocketError> take_socket_error(int fd) noexcept;

}  // namespace latmon
