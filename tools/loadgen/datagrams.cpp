// SPDX-License-Identifier: Apache-2.0
//
// See datagrams.hpp.
#include "loadgen/datagrams.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <ctime>
// linux/errqueue.h needs timespec, which it does not include itself.
#include <linux/errqueue.h>

namespace latmon::loadgen {
namespace {

// Of the IPv4 address in AddressBytes.
constexpr std::size_t ipv4_at = 12;

template <typename T>
T value_of(const cmsghdr& message) noexcept {
    T value;
    std::memcpy(&value, CMSG_DATA(&message), sizeof(T));
    return value;
}

AddressBytes mapped(const in_addr& address) noexcept {
    sockaddr_in ipv4{};
    ipv4.sin_family = AF_INET;
    ipv4.sin_addr = address;
    return from_sockaddr(reinterpret_cast<const sockaddr&>(ipv4)).address;
}

// Makes the reply leave from the address that was probed.
template <typename Info>
void put_control(msghdr& header, int level, int type, const Info& info) noexcept {
    header.msg_controllen = CMSG_SPACE(sizeof(Info));
    cmsghdr* const message = CMSG_FIRSTHDR(&header);
    message->cmsg_level = level;
    message->cmsg_type = type;
    message->cmsg_len = CMSG_LEN(sizeof(Info));
    std::memcpy(CMSG_DATA(message), &info, sizeof(info));
}

void take_control(const cmsghdr& message, ReceivedDatagram& datagram) noexcept {
    if (message.cmsg_level == IPPROTO_IP && message.cmsg_type == IP_PKTINFO) {
        // The address that was probed; ipi_spec_dst would be the one that routing prefers.
        datagram.route.local = mapped(value_of<in_pktinfo>(message).ipi_addr);
    } else if (message.cmsg_level == IPPROTO_IPV6 && message.cmsg_type == IPV6_PKTINFO) {
        datagram.route.local =
            std::bit_cast<AddressBytes>(value_of<in6_pktinfo>(message).ipi6_addr);
    } else if ((message.cmsg_level == IPPROTO_IP && message.cmsg_type == IP_TTL) ||
               (message.cmsg_level == IPPROTO_IPV6 && message.cmsg_type == IPV6_HOPLIMIT)) {
        datagram.ttl = static_cast<std::uint8_t>(value_of<int>(message));
    } else if (message.cmsg_level == SOL_SOCKET) {
        datagram.arrival = arrival_of(message);
    }
}

}  // namespace

std::optional<WallTime> arrival_of(const cmsghdr& message) noexcept {
    if (message.cmsg_level != SOL_SOCKET || message.cmsg_type != SCM_TIMESTAMPING) {
        return std::nullopt;
    }
    const timespec time = value_of<scm_timestamping>(message).ts[0];  // By software.
    if (time.tv_sec == 0 && time.tv_nsec == 0) return std::nullopt;
    return WallTime{time.tv_sec * 1'000'000'000 + time.tv_nsec};
}

ReceiveBatch::ReceiveBatch(std::size_t datagram_count, std::size_t datagram_bytes)
    : datagram_bytes_(datagram_bytes),
      octets_(datagram_count * datagram_bytes),
      peers_(datagram_count),
      controls_(datagram_count),
      pieces_(datagram_count),
      headers_(datagram_count) {
    for (std::size_t index = 0; index < datagram_count; ++index) {
        pieces_[index] = {.iov_base = octets_.data() + index * datagram_bytes,
                          .iov_len = datagram_bytes};
        msghdr& header = headers_[index].msg_hdr;
        header.msg_name = &peers_[index];
        header.msg_iov = &pieces_[index];
        header.msg_iovlen = 1;
        header.msg_control = controls_[index].octets.data();
    }
}

int ReceiveBatch::receive(const Fd& socket) noexcept {
    for (mmsghdr& header : headers_) {
        header.msg_hdr.msg_namelen = sizeof(sockaddr_in6);
        header.msg_hdr.msg_controllen = sizeof(Control::octets);
    }
    const unsigned count = static_cast<unsigned>(headers_.size());
    const int received = ::recvmmsg(socket.get(), headers_.data(), count, MSG_DONTWAIT, nullptr);
    return received < 0 ? -errno : received;
}

ReceivedDatagram ReceiveBatch::datagram(std::size_t index) noexcept {
    msghdr& header = headers_[index].msg_hdr;
    ReceivedDatagram datagram;
    datagram.data = std::span(octets_).subspan(index * datagram_bytes_, headers_[index].msg_len);
    datagram.is_truncated = (header.msg_flags & MSG_TRUNC) != 0;
    datagram.route.peer = peers_[index];
    for (cmsghdr* message = CMSG_FIRSTHDR(&header); message != nullptr;
         message = CMSG_NXTHDR(&header, message)) {
        take_control(*message, datagram);
    }
    return datagram;
}

SendBatch::SendBatch(std::size_t datagram_count)
    : peers_(datagram_count),
      controls_(datagram_count),
      pieces_(datagram_count),
      headers_(datagram_count),
      results_(datagram_count) {
    for (std::size_t index = 0; index < datagram_count; ++index) {
        headers_[index].msg_hdr.msg_iov = &pieces_[index];
        headers_[index].msg_hdr.msg_iovlen = 1;
    }
}

void SendBatch::add(std::span<std::byte> data) noexcept {
    LATMON_ASSERT(room() > 0);
    pieces_[size_] = {.iov_base = data.data(), .iov_len = data.size()};
    ++size_;
}

void SendBatch::add(std::span<std::byte> data, const Route& route) noexcept {
    LATMON_ASSERT(room() > 0);
    peers_[size_] = route.peer;
    msghdr& header = headers_[size_].msg_hdr;
    header.msg_name = &peers_[size_];
    header.msg_control = controls_[size_].octets.data();
    if (route.peer.sin6_family == AF_INET6) {
        header.msg_namelen = sizeof(sockaddr_in6);
        in6_pktinfo info{};
        info.ipi6_addr = std::bit_cast<in6_addr>(route.local);
        put_control(header, IPPROTO_IPV6, IPV6_PKTINFO, info);
    } else {
        header.msg_namelen = sizeof(sockaddr_in);
        in_pktinfo info{};
        std::memcpy(&info.ipi_spec_dst, route.local.data() + ipv4_at, sizeof(info.ipi_spec_dst));
        put_control(header, IPPROTO_IP, IP_PKTINFO, info);
    }
    add(data);
}

std::span<const int> SendBatch::flush(const Fd& socket) noexcept {
    std::size_t done = 0;
    while (done < size_) {
        const int sent = ::sendmmsg(socket.get(), headers_.data() + done,
                                    static_cast<unsigned>(size_ - done), MSG_DONTWAIT);
        if (sent < 0) {
            // The error is that of the first datagram; those behind it are tried again.
            results_[done++] = errno;
            continue;
        }
        std::fill_n(results_.begin() + static_cast<std::ptrdiff_t>(done), sent, 0);
        done += static_cast<std::size_t>(sent);
    }
    const std::size_t count = std::exchange(size_, 0);
    return std::span(results_).first(count);
}

}  // namespace latmon::loadgen
