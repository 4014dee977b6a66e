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

// What of a socket's packets is stamped.
struct StampRequest {
    bool is_stream = false;
    bool wants_hardware = false;  // By the card too.
    bool wants_tx = false;        // What it sends too, not only what it receives.
    bool is_tx_paused = false;    // With wants_tx: stamps under way still come, but no new ones.
};

// Sets SO_TIMESTAMPING (networking/timestamping in the kernel's tree). Stamps of what is sent are
// numbered from 0 from the first call with `wants_tx` after one without; on a stream that must be
// connected, else EINVAL. [core-thread]
[[nodiscard]] Outcome<void> request_stamps(int fd, const StampRequest& request) noexcept;

}  // namespace latmon
