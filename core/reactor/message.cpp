// SPDX-License-Identifier: Apache-2.0
//
// Fills msghdr and its control messages; see message.hpp.
#include "reactor/message.hpp"

#include "base/assert.hpp"
#include "reactor/uring_stamps.hpp"

#include <cstring>

namespace latmon {
namespace {

template <typename Value>
cmsghdr* append_control(msghdr& header, cmsghdr* at, int level, int type, const Value& value) {
    LATMON_ASSERT(at != nullptr);
    at->cmsg_level = level;
    at->cmsg_type = type;
    at->cmsg_len = CMSG_LEN(sizeof(value));
    std::memcpy(CMSG_DATA(at), &value, sizeof(value));
    return CMSG_NXTHDR(&header, at);
}

}  // namespace

void Message::set_payload(std::span<const std::byte> first,
                          std::span<const std::byte> second) noexcept {
    // sendmsg(2) does not write through iov_base; the struct serves recvmsg(2) as well.
    parts_[0] = {const_cast<std::byte*>(first.data()), first.size()};
    parts_[1] = {const_cast<std::byte*>(second.data()), second.size()};
    header_.msg_iov = parts_.data();
    header_.msg_iovlen = second.empty() ? 1 : 2;
}

void Message::set_route(const Endpoint& to, const Endpoint& from,
                        std::uint8_t traffic_class) noexcept {
    sockaddr_storage address{};
    header_.msg_namelen = as_sockaddr(to, address);
    LATMON_ASSERT(header_.msg_namelen <= sizeof(destination_));
    std::memcpy(&destination_, &address, header_.msg_namelen);
    header_.msg_name = &destination_;

    control_ = {};
    header_.msg_control = control_.data();
    header_.msg_controllen = control_.size();
    cmsghdr* at = CMSG_FIRSTHDR(&header_);
    std::size_t used = 0;
    const int class_value = traffic_class;
    if (is_ipv4(to.address)) {
        in_pktinfo info{};
        std::memcpy(&info.ipi_spec_dst, from.address.data() + 12, sizeof(info.ipi_spec_dst));
        at = append_control(header_, at, IPPROTO_IP, IP_PKTINFO, info);
        append_control(header_, at, IPPROTO_IP, IP_TOS, class_value);
        used = CMSG_SPACE(sizeof(info)) + CMSG_SPACE(sizeof(class_value));
    } else {
        in6_pktinfo info{};
        std::memcpy(&info.ipi6_addr, from.address.data(), from.address.size());
        info.ipi6_ifindex = from.scope_id;
        at = append_control(header_, at, IPPROTO_IPV6, IPV6_PKTINFO, info);
        append_control(header_, at, IPPROTO_IPV6, IPV6_TCLASS, class_value);
        used = CMSG_SPACE(sizeof(info)) + CMSG_SPACE(sizeof(class_value));
    }
    header_.msg_controllen = used;
    route_bytes_ = used;
}

void Message::set_key(std::uint32_t key) noexcept {
    header_.msg_control = control_.data();
    header_.msg_controllen = route_bytes_ + CMSG_SPACE(sizeof(key));
    auto* const at = reinterpret_cast<cmsghdr*>(control_.data() + route_bytes_);
    append_control(header_, at, SOL_SOCKET, scm_ts_opt_id, key);
    key_ = key;
}

msghdr Message::header_without_key() const noexcept {
    msghdr header = header_;
    header.msg_controllen = route_bytes_;
    if (route_bytes_ == 0) header.msg_control = nullptr;
    return header;
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
