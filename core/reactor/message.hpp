// SPDX-License-Identifier: Apache-2.0
//
// One outgoing message: up to two pieces of payload; and for an unconnected socket the destination,
// the local address to send from and the traffic class. What sendmsg(2) wants is made of it when it
// is sent. Lives inside the operation that sends it, so that nothing is allocated; is pointed into
// and must not move. Used on one core-thread.
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

// Where a message of an unconnected UDP socket goes: see RoutedMessage.
struct Route {
    // Three control messages: a packet info (in6_pktinfo, 20 octets, is the larger), an int and a
    // key.
    static constexpr std::size_t control_bytes_max =
        CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(uint32_t));

    sockaddr_in6 destination{};  // Also large enough for IPv4.
    socklen_t destination_bytes = 0;
    std::uint32_t control_bytes = 0;  // Of `control`, without the key's.
    alignas(cmsghdr) std::array<std::byte, control_bytes_max> control{};
};

// To the socket's own peer. Thousands of probes have one each.
class Message {
public:
    Message() noexcept = default;
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;

    // The payload: `first`, then `second`. Borrowed until the send has completed.
    void set_payload(std::span<const std::byte> first,
                     std::span<const std::byte> second = {}) noexcept;

    // The key of the stamps that the kernel takes of this datagram (SCM_TS_OPT_ID, Linux 6.13).
    // After set_route(), if that is used; may be called anew for every send. The ring leaves it out
    // where the kernel or the socket does not take it, so call it for every datagram of a socket
    // whose stamps are wanted.
    void set_key(std::uint32_t key) noexcept;

    // Made anew at each call; points into this message.
    [[nodiscard]] msghdr header() const noexcept;
    // The same without its key.
    [[nodiscard]] msghdr header_without_key() const noexcept;

    [[nodiscard]] bool has_key() const noexcept { return has_key_; }
    [[nodiscard]] std::uint32_t key() const noexcept { return key_; }
    // Octets in one piece for the socket's own peer, and no more than a key beside them.
    [[nodiscard]] bool is_plain() const noexcept {
        return route_ == nullptr && parts_[1].iov_len == 0;
    }
    // Of a plain one.
    [[nodiscard]] std::span<const std::byte> plain_payload() const noexcept {
        return {static_cast<const std::byte*>(parts_[0].iov_base), parts_[0].iov_len};
    }
    [[nodiscard]] std::size_t payload_bytes() const noexcept {
        return parts_[0].iov_len + parts_[1].iov_len;
    }

protected:
    // `route` is part of the same message; what key there was is none any more.
    void use_route(Route& route) noexcept {
        route_ = &route;
        has_key_ = false;
    }

private:
    std::array<iovec, 2> parts_{};
    Route* route_ = nullptr;  // Null: to the socket's own peer.
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(std::uint32_t))> key_control_{};
    std::uint32_t key_ = 0;
    bool has_key_ = false;
};

// To somebody, from an unconnected UDP socket.
class RoutedMessage : public Message {
public:
    // To `to`, from the local address `from` (its port is ignored; all zero: the kernel's choice),
    // with traffic class `traffic_class` (DSCP << 2). IP_PKTINFO of ip(7), IPV6_PKTINFO of ipv6(7).
    void set_route(const Endpoint& to, const Endpoint& from, std::uint8_t traffic_class) noexcept;

private:
    Route route_;
};

// Where a receive on a stream puts its octets, and what the kernel says about them. Lives inside
// the operation's owner; holds pointers into itself and must not move. Used on one core-thread.
class StreamInput {
public:
    StreamInput() noexcept = default;
    StreamInput(const StreamInput&) = delete;
    StreamInput& operator=(const StreamInput&) = delete;

    // Readies it for one receive into `buffer`, which is borrowed until that has completed.
    void set_buffer(std::span<std::byte> buffer) noexcept;

    [[nodiscard]] std::span<std::byte> buffer() const noexcept {
        return {static_cast<std::byte*>(part_.iov_base), part_.iov_len};
    }
    [[nodiscard]] msghdr& header() noexcept { return header_; }
    [[nodiscard]] const msghdr& header() const noexcept { return header_; }

private:
    msghdr header_{};
    iovec part_{};
    // One SCM_TIMESTAMPING: three timespecs.
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(std::size_t{3} * 16)> control_{};
};

}  // namespace latmon
