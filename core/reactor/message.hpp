// SPDX-License-Identifier: Apache-2.0
//
// One outgoing message as sendmsg(2) wants it: up to two pieces of payload, and for an unconnected
// socket the destination, the local address to send from and the traffic class. Lives inside the
// operation that sends it, so that nothing is allocated; holds pointers into itself and must not
// move. Used on one core-thread.
#pragma once

#include "base/address.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace latmon {

class Message {
public:
    Message() noexcept = default;
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;

    // The payload: `first`, then `second`. Borrowed until the send has completed.
    void set_payload(std::span<const std::byte> first,
                     std::span<const std::byte> second = {}) noexcept;

    // For an unconnected UDP socket: to `to`, from the local address `from` (its port is ignored;
    // all zero: the kernel's choice), with traffic class `traffic_class` (DSCP << 2). IP_PKTINFO of
    // ip(7), IPV6_PKTINFO of ipv6(7).
    void set_route(const Endpoint& to, const Endpoint& from, std::uint8_t traffic_class) noexcept;

    [[nodiscard]] const msghdr& header() const noexcept { return header_; }
    [[nodiscard]] std::size_t payload_bytes() const noexcept {
        return parts_[0].iov_len + parts_[1].iov_len;
    }

private:
    // Two control messages: a packet info (in6_pktinfo, 20 octets, is the larger) and an int.
    static constexpr std::size_t control_bytes =
        CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int));

    msghdr header_{};
    std::array<iovec, 2> parts_{};
    sockaddr_in6 destination_{};  // Also large enough for IPv4.
    alignas(cmsghdr) std::array<std::byte, control_bytes> control_{};
};

}  // namespace latmon
