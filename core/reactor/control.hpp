// SPDX-License-Identifier: Apache-2.0
//
// Reads the control messages that the kernel hands out beside a packet (cmsg(3)): TTL, traffic
// class, local address, and the error queue's entries. Used on core-threads.
#pragma once

#include "reactor/ring.hpp"

#include <sys/socket.h>

namespace latmon {

// Adds to `datagram` what one control message says; unknown ones are passed over.
void read_control(const cmsghdr& control, Datagram& datagram) noexcept;

// Reads one entry of the error queue of the descriptor `fd`, without waiting: recvmsg(2) with
// MSG_ERRQUEUE. EAGAIN: there is none. [core-thread]
[[nodiscard]] Outcome<SocketError> take_socket_error(int fd) noexcept;

}  // namespace latmon
