// SPDX-License-Identifier: Apache-2.0
//
// socket(2), setsockopt(2), bind(2); see socket.hpp. Options that only make a figure better are
// tried and their failure ignored; options that an operator asked for must succeed.
#include "reactor/socket.hpp"

#include "reactor/uring_stamps.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <cerrno>
#include <cstring>

namespace latmon {
namespace {

// Room for some 10,000 small datagrams that arrive while the thread is not running. The kernel caps
// it at net.core.rmem_max.
constexpr std::uint32_t reflector_buffer_bytes = 8U << 20U;

bool set_option(int fd, int level, int name, int value) noexcept {
    return ::setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

Outcome<Fd> open_socket(const SocketOptions& options, int type) noexcept {
    Fd fd(::socket(options.is_ipv6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) return std::unexpected(errno);
    const int level = options.is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
    // IPv4 and IPv6 are bound apart, each with its own options.
    if (options.is_ipv6 && !set_option(fd.get(), level, IPV6_V6ONLY, 1)) {
        return std::unexpected(errno);
    }
    if (options.dscp != 0 &&
        !set_option(fd.get(), level, options.is_ipv6 ? IPV6_TCLASS : IP_TOS, options.dscp << 2)) {
        return std::unexpected(errno);
    }
    const bool is_bound_to_interface = options.interface != nullptr && options.interface[0] != '\0';
    if (is_bound_to_interface &&
        ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, options.interface,
                     static_cast<socklen_t>(std::strlen(options.interface))) != 0) {
        return std::unexpected(errno);
    }
    if (options.is_shared && !set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1)) {
        return std::unexpected(errno);
    }
    return fd;
}

bool bind_socket(int fd, const Endpoint& local) noexcept {
    sockaddr_storage address{};
    const socklen_t length = as_sockaddr(local, address);
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0;
}

bool has_address_or_port(const Endpoint& endpoint) noexcept {
    return endpoint.port != 0 || !is_unspecified(endpoint);
}

// The kernel doubles the number, and caps it at net.core.rmem_max: socket(7).
void set_receive_buffer(int fd, const SocketOptions& options, std::uint32_t otherwise) noexcept {
    const std::uint32_t bytes =
        options.receive_buffer_bytes != 0 ? options.receive_buffer_bytes : otherwise;
    if (bytes != 0) set_option(fd, SOL_SOCKET, SO_RCVBUF, static_cast<int>(bytes));
}

// Refused: the ring's StampAbility says so, and datagrams come without.
void set_receive_stamps(int fd, const SocketOptions& options) noexcept {
    static_cast<void>(request_stamps(fd, {.wants_hardware = options.wants_hardware_stamps}));
}

}  // namespace

Outcome<void> request_stamps(int fd, const StampRequest& request) noexcept {
    std::uint32_t flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    if (request.wants_hardware) {
        flags |= SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE;
    }
    if (request.wants_tx) flags |= SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
    if (request.wants_tx && request.is_stream) flags |= sof_timestamping_opt_id_tcp;
    if (request.wants_tx && !request.is_tx_paused) {
        flags |= SOF_TIMESTAMPING_TX_SOFTWARE;
        if (request.is_stream) flags |= SOF_TIMESTAMPING_TX_ACK;
        if (request.wants_hardware) {
            flags |= SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_OPT_TX_SWHW;
        }
    }
    if (set_option(fd, SOL_SOCKET, SO_TIMESTAMPING, static_cast<int>(flags))) return {};
    if (!request.is_stream) return std::unexpected(errno);
    // Linux 6.1 counts from what has been acknowledged, which is the same before anything is sent.
    flags &= ~sof_timestamping_opt_id_tcp;
    if (set_option(fd, SOL_SOCKET, SO_TIMESTAMPING, static_cast<int>(flags))) return {};
    return std::unexpected(errno);
}

Outcome<Fd> open_udp_socket(const SocketOptions& options) noexcept {
    Outcome<Fd> fd = open_socket(options, SOCK_DGRAM);
    if (!fd) return fd;
    const int number = fd->get();
    const int level = options.is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
    set_option(number, level, options.is_ipv6 ? IPV6_RECVHOPLIMIT : IP_RECVTTL, 1);
    set_option(number, level, options.is_ipv6 ? IPV6_RECVTCLASS : IP_RECVTOS, 1);
    if (options.is_reflector) {
        const bool tells_local =
            set_option(number, level, options.is_ipv6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
        if (!tells_local) return std::unexpected(errno);
        // RFC 5357 section 4.2.1: the reply leaves with TTL 255, so that hops can be counted.
        set_option(number, level, options.is_ipv6 ? IPV6_UNICAST_HOPS : IP_TTL, 255);
    } else if (!set_option(number, level, options.is_ipv6 ? IPV6_RECVERR : IP_RECVERR, 1)) {
        return std::unexpected(errno);
    }
    set_option(number, SOL_SOCKET, SO_RXQ_OVFL, 1);
    set_receive_buffer(number, options, options.is_reflector ? reflector_buffer_bytes : 0);
    // Before it is bound: what arrives first is stamped as well.
    if (options.wants_stamps) set_receive_stamps(number, options);
    if (has_address_or_port(options.local) && !bind_socket(number, options.local)) {
        return std::unexpected(errno);
    }
    if (has_address_or_port(options.remote)) {
        sockaddr_storage address{};
        const socklen_t length = as_sockaddr(options.remote, address);
        if (::connect(number, reinterpret_cast<const sockaddr*>(&address), length) != 0) {
            return std::unexpected(errno);
        }
    }
    return fd;
}

Outcome<Fd> open_tcp_socket(const SocketOptions& options) noexcept {
    Outcome<Fd> fd = open_socket(options, SOCK_STREAM);
    if (!fd) return fd;
    const int number = fd->get();
    set_option(number, IPPROTO_TCP, TCP_NODELAY, 1);
    set_receive_buffer(number, options, 0);
    if (options.wants_stamps) set_receive_stamps(number, options);
    if (options.resets_on_close) {
        const linger reset{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(number, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    }
    if (has_address_or_port(options.local)) {
        // The port is chosen at connect, with the remote end in view: more can be open at once.
        set_option(number, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
        if (!bind_socket(number, options.local)) return std::unexpected(errno);
    }
    return fd;
}

Outcome<Fd> open_tcp_listener(const SocketOptions& options) noexcept {
    Outcome<Fd> fd = open_socket(options, SOCK_STREAM);
    if (!fd) return fd;
    const int number = fd->get();
    // Connections of an earlier process in TIME_WAIT must not keep the port from us.
    set_option(number, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(number, IPPROTO_TCP, TCP_NODELAY, 1);  // Inherited by what is accepted.
    set_receive_buffer(number, options, 0);
    if (options.wants_stamps) set_receive_stamps(number, options);  // Inherited too.
    if (!bind_socket(number, options.local)) return std::unexpected(errno);
    if (::listen(number, 1'024) != 0) return std::unexpected(errno);
    return fd;
}

}  // namespace latmon
