// SPDX-License-Identifier: Apache-2.0
//
// See handshake.hpp.
#include "daemon/handshake.hpp"

#include "probe/open_path.hpp"
#include "reactor/socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <algorithm>
#include <cerrno>

namespace latmon {
namespace {

// 0, or an errno value.
int wait_connected(int fd, Duration timeout) {
    pollfd ready{fd, POLLOUT, 0};
    const auto timeout_ms =
        static_cast<int>(std::max<std::int64_t>(timeout / Duration::from_ms(1), 1));
    const int count = ::poll(&ready, 1, timeout_ms);
    if (count == 0) return ETIMEDOUT;
    if (count < 0) return errno;
    int error = 0;
    socklen_t length = sizeof(error);
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

}  // namespace

Handshake time_handshake(const ProbePlan& probe, const Clock& clock) {
    SocketOptions options = path_options(probe, *probe.address);
    options.resets_on_close = true;
    const Outcome<Fd> socket = open_tcp_socket(options);
    if (!socket) return {.duration = {}, .error = socket.error()};
    sockaddr_storage address{};
    const socklen_t length = as_sockaddr(*probe.address, address);
    const int flags = ::fcntl(socket->get(), F_GETFL);
    ::fcntl(socket->get(), F_SETFL, flags | O_NONBLOCK);
    const RawInstant began = clock.raw_now();
    const int result =
        ::connect(socket->get(), reinterpret_cast<const sockaddr*>(&address), length);
    // On loopback a refusal comes at once: it has left and come back.
    if (result != 0 && errno != EINPROGRESS) {
        return {.duration = {}, .error = errno, .has_left = errno == ECONNREFUSED};
    }
    const int error = wait_connected(socket->get(), probe.timeout);
    if (error != 0) return {.duration = {}, .error = error, .has_left = true};
    return {.duration = clock.raw_now() - began, .error = 0, .has_left = true};
}

}  // namespace latmon
