// SPDX-License-Identifier: Apache-2.0
//
// See stream_read.hpp.
#include "loadgen/stream_read.hpp"

#include "loadgen/datagrams.hpp"

#include <sys/socket.h>
#include <array>

namespace latmon::loadgen {
namespace {

// What waited for longer was stamped by a clock that has been set since.
constexpr Duration dwell_max = Duration::from_s(10);

}  // namespace

StreamRead read_stream(const Fd& socket, std::span<std::byte> into) noexcept {
    alignas(cmsghdr) std::array<std::byte, 128> control{};
    iovec piece{.iov_base = into.data(), .iov_len = into.size()};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    StreamRead read{.count = ::recvmsg(socket.get(), &header, MSG_DONTWAIT),
                    .arrival = std::nullopt};
    if (read.count <= 0) return read;
    for (cmsghdr* message = CMSG_FIRSTHDR(&header); message != nullptr;
         message = CMSG_NXTHDR(&header, message)) {
        const std::optional<WallTime> arrival = arrival_of(*message);
        if (arrival) read.arrival = arrival;
    }
    return read;
}

std::optional<Duration> dwell_of(std::optional<WallTime> arrival, WallTime now) noexcept {
    if (!arrival) return std::nullopt;
    const Duration dwell = now - *arrival;
    if (dwell < Duration{} || dwell > dwell_max) return std::nullopt;
    return dwell;
}

}  // namespace latmon::loadgen
