// SPDX-License-Identifier: Apache-2.0
//
// Fills msghdr and its control messages; see message.hpp.
#include "reactor/message.hpp"

#include "base/assert.hpp"
#include "reactor/uring_stamps.hpp"

#include <cstring>

namespace latmon {
namespace {

// Writes one control message, and returns how many octets it takes.
template <typename Value>
std::size_t put_control(std::span<std::byte> at, int level, int type, const Value& value) noexcept {
    LATMON_ASSERT(at.size() >= CMSG_SPACE(sizeof(value)));
    cmsghdr control{};
    control.cmsg_level = level;
    control.cmsg_type = type;
    control.cmsg_len = CMSG_LEN(sizeof(value));
    std::memcpy(at.data(), &control, sizeof(control));
    std::memcpy(at.data() + CMSG_LEN(0), &value, sizeof(value));
    return CMSG_SPACE(sizeof(value));
}

}  // namespace

void Message::set_payload(std::span<const std::byte> first,
                          std::span<const std::byte> second) noexcept {
    // sendmsg(2) does not write through iov_base; the struct serves recvmsg(2) as well.
    parts_[0] = {const_cast<std::byte*>(first.data()), first.size()};
    parts_[1] = {const_cast<std::byte*>(second.data()), second.size()};
}

void Message::set_key(std::uint32_t key) noexcept {
    const std::span<std::byte> control =
        route_ == nullptr ? std::span<std::byte>(key_control_)
                          : std::span(route_->control).subspan(route_->control_bytes);
    put_control(control, SOL_SOCKET, scm_ts_opt_id, key);
    key_ = key;
    has_key_ = true;
}

msghdr Message::header_without_key() const noexcept {
    msghdr header{};
    header.msg_iov = const_cast<iovec*>(parts_.data());  // Not written through by sendmsg(2).
    header.msg_iovlen = parts_[1].iov_len == 0 ? 1 : 2;
    if (route_ == nullptr) return header;
    header.msg_name = &route_->destination;
    header.msg_namelen = route_->destination_bytes;
    header.msg_control = route_->control.data();
    header.msg_controllen = route_->control_bytes;
    return header;
}

msghdr Message::header() const noexcept {
    msghdr header = header_without_key();
    if (!has_key_) return header;
    if (route_ == nullptr) header.msg_control = const_cast<std::byte*>(key_control_.data());
    header.msg_controllen += CMSG_SPACE(sizeof(key_));
    return header;
}

void RoutedMessage::set_route(const Endpoint& to, const Endpoint& from,
                              std::uint8_t traffic_class) noexcept {
    sockaddr_storage address{};
    route_.destination_bytes = as_sockaddr(to, address);
    LATMON_ASSERT(route_.destination_bytes <= sizeof(route_.destination));
    std::memcpy(&route_.destination, &address, route_.destination_bytes);
    route_.control = {};
    const std::span<std::byte> control(route_.control);
    const int class_value = traffic_class;
    std::size_t used = 0;
    if (is_ipv4(to.address)) {
        in_pktinfo info{};
        std::memcpy(&info.ipi_spec_dst, from.address.data() + 12, sizeof(info.ipi_spec_dst));
        used = put_control(control, IPPROTO_IP, IP_PKTINFO, info);
        used += put_control(control.subspan(used), IPPROTO_IP, IP_TOS, class_value);
    } else {
        in6_pktinfo info{};
        std::memcpy(&info.ipi6_addr, from.address.data(), from.address.size());
        info.ipi6_ifindex = from.scope_id;
        used = put_control(control, IPPROTO_IPV6, IPV6_PKTINFO, info);
        used += put_control(control.subspan(used), IPPROTO_IPV6, IPV6_TCLASS, class_value);
    }
    route_.control_bytes = static_cast<std::uint32_t>(used);
    use_route(route_);
}

void StreamInput::set_buffer(std::span<std::byte> buffer) noexcept {
    part_ = {buffer.data(), buffer.size()};
    header_ = {};
    header_.msg_iov = &part_;
    header_.msg_iovlen = 1;
    header_.msg_control = control_.data();
    header_.msg_controllen = control_.size();
}

}  // namespace latmon
