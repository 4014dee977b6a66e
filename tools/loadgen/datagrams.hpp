// SPDX-License-Identifier: Apache-2.0
//
// Many datagrams with one system call: recvmmsg(2) into fixed buffers, sendmmsg(2) from somebody
// else's. One thread owns a batch; allocates when it is built, never after.
#pragma once

#include "base/address.hpp"
#include "base/fd.hpp"
#include "base/time.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace latmon::loadgen {

// Where a reply goes and from which of our addresses.
struct Route {
    sockaddr_in6 peer{};   // In the kernel's form, or a sockaddr_in, which is shorter.
    AddressBytes local{};  // IPv4 as everywhere: mapped.
};

// Of who sent it.
[[nodiscard]] inline Endpoint peer_of(const Route& route) noexcept {
    return from_sockaddr(reinterpret_cast<const sockaddr&>(route.peer));
}

// What a control message of recvmsg(2) says if it is the kernel's stamp (SO_TIMESTAMPING), on a
// socket of any kind. Nothing: the kernel took none.
[[nodiscard]] std::optional<WallTime> arrival_of(const cmsghdr& message) noexcept;

struct ReceivedDatagram {
    std::span<std::byte> data;        // In the batch's buffer, until its next receive().
    bool is_truncated = false;        // Longer than the buffer.
    Route route;                      // Sockets of open_reflecting_udp() only.
    std::uint8_t ttl = 0;             // Likewise; 0: unknown.
    std::optional<WallTime> arrival;  // By the kernel.
};

class ReceiveBatch {
public:
    ReceiveBatch(std::size_t datagram_count, std::size_t datagram_bytes);

    // Takes what is there, never waits. Returns how many came, or -errno.
    [[nodiscard]] int receive(const Fd& socket) noexcept;
    // `index` is less than what receive() returned.
    [[nodiscard]] ReceivedDatagram datagram(std::size_t index) noexcept;
    [[nodiscard]] std::size_t capacity() const noexcept { return headers_.size(); }

private:
    struct alignas(cmsghdr) Control {
        std::array<std::byte, 128> octets;
    };

    std::size_t datagram_bytes_;
    std::vector<std::byte> octets_;
    std::vector<sockaddr_in6> peers_;
    std::vector<Control> controls_;
    std::vector<iovec> pieces_;
    std::vector<mmsghdr> headers_;
};

class SendBatch {
public:
    explicit SendBatch(std::size_t datagram_count);

    // Adds a datagram for a connected socket, or for a route. `data` must live until flush(). There
    // must be room.
    void add(std::span<std::byte> data) noexcept;
    void add(std::span<std::byte> data, const Route& route) noexcept;

    // Sends all, in order, never waits, and empties the batch. Result i is 0 or the errno that
    // datagram i met; valid until the next add().
    [[nodiscard]] std::span<const int> flush(const Fd& socket) noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t room() const noexcept { return headers_.size() - size_; }

private:
    struct alignas(cmsghdr) Control {
        std::array<std::byte, CMSG_SPACE(sizeof(in6_pktinfo))> octets;
    };

    std::vector<sockaddr_in6> peers_;
    std::vector<Control> controls_;
    std::vector<iovec> pieces_;
    std::vector<mmsghdr> headers_;
    std::vector<int> results_;
    std::size_t size_ = 0;
};

}  // namespace latmon::loadgen
