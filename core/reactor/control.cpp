// SPDX-License-Identifier: Apache-2.0
//
// Control messages of ip(7) and ipv6(7), for received datagrams and for the error queue.
#include "reactor/control.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
// linux/errqueue.h needs timespec, which it does not include itself.
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <ctime>

namespace latmon {
namespace {

template <typename Value>
Value read_value(const cmsghdr& control) noexcept {
    Value value{};
    const std::size_t header_bytes = CMSG_LEN(0);
    if (control.cmsg_len < header_bytes) return value;
    const std::size_t available = control.cmsg_len - header_bytes;
    std::memcpy(&value, CMSG_DATA(&control), std::min(sizeof(value), available));
    return value;
}

void set_traffic_class(Datagram& datagram, std::uint8_t traffic_class) noexcept {
    datagram.traffic_class = traffic_class;
    datagram.has_traffic_class = true;
}

void read_ipv4(const cmsghdr& control, Datagram& datagram) noexcept {
    if (control.cmsg_type == IP_TTL) {
        datagram.ttl = static_cast<std::uint8_t>(read_value<int>(control));
    } else if (control.cmsg_type == IP_TOS) {  // One octet on receive, ip(7).
        set_traffic_class(datagram, read_value<std::uint8_t>(control));
    } else if (control.cmsg_type == IP_PKTINFO) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        // Not ipi_addr: that is the header's destination, which may be a broadcast address.
        address.sin_addr = read_value<in_pktinfo>(control).ipi_spec_dst;
        sockaddr generic{};
        static_assert(sizeof(generic) == sizeof(address));
        std::memcpy(&generic, &address, sizeof(address));
        datagram.local = from_sockaddr(generic);
    }
}

void read_ipv6(const cmsghdr& control, Datagram& datagram) noexcept {
    if (control.cmsg_type == IPV6_HOPLIMIT) {
        datagram.ttl = static_cast<std::uint8_t>(read_value<int>(control));
    } else if (control.cmsg_type == IPV6_TCLASS) {
        set_traffic_class(datagram, static_cast<std::uint8_t>(read_value<int>(control)));
    } else if (control.cmsg_type == IPV6_PKTINFO) {
        const in6_pktinfo info = read_value<in6_pktinfo>(control);
        std::memcpy(datagram.local.address.data(), &info.ipi6_addr, sizeof(info.ipi6_addr));
        if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) datagram.local.scope_id = info.ipi6_ifindex;
    }
}

// Two times of one packet; zero: not taken.
struct StampTimes {
    WallTime kernel;
    WallTime hardware;
};

constexpr WallTime no_time{};

bool is_stamp(const cmsghdr& control) noexcept {
    return control.cmsg_level == SOL_SOCKET && control.cmsg_type == SCM_TIMESTAMPING;
}

// struct scm_timestamping of linux/errqueue.h: the kernel's time, one that is not used any more,
// the card's.
StampTimes read_stamp(const cmsghdr& control) noexcept {
    const scm_timestamping times = read_value<scm_timestamping>(control);
    return {.kernel = wall_time(times.ts[0].tv_sec, times.ts[0].tv_nsec),
            .hardware = wall_time(times.ts[2].tv_sec, times.ts[2].tv_nsec)};
}

void read_socket_level(const cmsghdr& control, Datagram& datagram) noexcept {
    if (is_stamp(control)) {
        const StampTimes times = read_stamp(control);
        datagram.arrived = times.kernel;
        if (times.kernel != no_time) datagram.arrived_by = StampSource::kernel;
        datagram.hardware_time = times.hardware;
        datagram.has_hardware_time = times.hardware != no_time;
    } else if (control.cmsg_type == SO_RXQ_OVFL) {
        datagram.drops = read_value<std::uint32_t>(control);
        datagram.has_drops = true;
    }
}

bool is_error(const cmsghdr& control) noexcept {
    const bool is_ipv4 = control.cmsg_level == IPPROTO_IP && control.cmsg_type == IP_RECVERR;
    const bool is_ipv6 = control.cmsg_level == IPPROTO_IPV6 && control.cmsg_type == IPV6_RECVERR;
    return is_ipv4 || is_ipv6;
}

void set_error(const sock_extended_err& extended, SocketError& error) noexcept {
    if (extended.ee_origin == SO_EE_ORIGIN_TIMESTAMPING) {
        error.stamp.key = extended.ee_data;
        error.stamp.point = stamp_point(extended.ee_info);
        return;
    }
    error.error_number = static_cast<int>(extended.ee_errno);
    error.is_from_network =
        extended.ee_origin == SO_EE_ORIGIN_ICMP || extended.ee_origin == SO_EE_ORIGIN_ICMP6;
    error.icmp_type = extended.ee_type;
    error.icmp_code = extended.ee_code;
}

}  // namespace

WallTime wall_time(std::int64_t seconds, std::int64_t nanoseconds) noexcept {
    return WallTime{seconds * 1'000'000'000 + nanoseconds};
}

StampPoint stamp_point(std::uint32_t type) noexcept {
    switch (type) {
        case SCM_TSTAMP_SCHED:
            return StampPoint::scheduled;
        case SCM_TSTAMP_ACK:
            return StampPoint::acked;
        default:
            return StampPoint::sent;
    }
}

std::optional<WallTime> arrival_in(const msghdr& header) noexcept {
    msghdr copy = header;  // The macros want one that may be changed.
    for (cmsghdr* control = CMSG_FIRSTHDR(&copy); control != nullptr;
         control = CMSG_NXTHDR(&copy, control)) {
        if (!is_stamp(*control)) continue;
        const WallTime time = read_stamp(*control).kernel;
        if (time != no_time) return time;
    }
    return std::nullopt;
}

void read_control(const cmsghdr& control, Datagram& datagram) noexcept {
    if (control.cmsg_level == SOL_SOCKET) read_socket_level(control, datagram);
    if (control.cmsg_level == IPPROTO_IP) read_ipv4(control, datagram);
    if (control.cmsg_level == IPPROTO_IPV6) read_ipv6(control, datagram);
}

Outcome<SocketError> take_socket_error(int fd) noexcept {
    SocketError error;
    alignas(cmsghdr) std::array<std::byte, 512> control_space{};
    iovec part{error.payload.data(), error.payload.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control_space.data();
    header.msg_controllen = control_space.size();
    const ssize_t octets = ::recvmsg(fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (octets < 0) return std::unexpected(errno);
    error.payload_bytes = static_cast<std::uint32_t>(octets);
    StampTimes times{};
    for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
         control = CMSG_NXTHDR(&header, control)) {
        if (is_stamp(*control)) times = read_stamp(*control);
        if (is_error(*control)) set_error(read_value<sock_extended_err>(*control), error);
    }
    if (error.error_number != 0) return error;
    // With SOF_TIMESTAMPING_OPT_TX_SWHW there is one entry for each of the two times.
    const bool is_kernel = times.kernel != no_time;
    error.stamp.time = is_kernel ? times.kernel : times.hardware;
    error.stamp.source = is_kernel                   ? StampSource::kernel
                         : times.hardware != no_time ? StampSource::hardware
                                                     : StampSource::none;
    return error;
}

}  // namespace latmon
