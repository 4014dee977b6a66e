// SPDX-License-Identifier: Apache-2.0
//
// See sockets.hpp.
#include "loadgen/sockets.hpp"

#include "loadgen/datagrams.hpp"

#include <fmt/format.h>
#include <linux/net_tstamp.h>
#include <linux/sock_diag.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string_view>

namespace latmon::loadgen {
namespace {

// The kernel caps it at net.core.rmem_max.
constexpr int buffer_bytes = 8 << 20;
constexpr int backlog = 4'096;

// The kernel has begun to stamp after some milliseconds, more on a busy host.
constexpr int trials_max = 200;
constexpr int trial_pause_ms = 1;

bool is_fit_for_load(const AddressBytes& address) {
    static constexpr std::array<std::string_view, 13> prefixes{
        "127.0.0.0/8",    "::1",           "10.0.0.0/8",      "172.16.0.0/12",
        "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",  "fc00::/7",
        "fe80::/10",      "192.0.2.0/24",  "198.51.100.0/24", "203.0.113.0/24",
        "198.18.0.0/15"};
    return std::ranges::any_of(prefixes, [&](std::string_view text) {
        const std::optional<Prefix> prefix = parse_prefix(text);
        return prefix && prefix->contains(address);
    });
}

void set_option(const Fd& socket, int level, int name, int value) noexcept {
    ::setsockopt(socket.get(), level, name, &value, sizeof(value));
}

std::unexpected<Error> socket_error(std::string what, const Endpoint& endpoint) {
    const int reason = errno;
    return fail_errno(ExitCode::failure, fmt::format("{} {}", what, to_string(endpoint)), reason);
}

Fd open_socket(int family, int type) noexcept {
    return Fd(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// Not SO_TIMESTAMPNS: what came before the kernel began to stamp would bear the time of its being
// read (__sock_recv_timestamp of net/socket.c), and nobody could tell. So it bears none.
void set_arrivals(const Fd& socket) noexcept {
    set_option(socket, SOL_SOCKET, SO_TIMESTAMPING,
               SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
}

// A socket that keeps the kernel stamping what this host receives: it does so only while some
// socket wants it, and begins a little later, in a work queue (net_enable_timestamp). By now it
// has, if there is a loopback interface to see that on.
Fd await_arrivals() {
    Fd socket = open_socket(AF_INET, SOCK_DGRAM);
    set_arrivals(socket);
    sockaddr_in self{};
    self.sin_family = AF_INET;
    self.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    auto& address = reinterpret_cast<sockaddr&>(self);
    socklen_t length = sizeof(self);
    if (::bind(socket.get(), &address, length) != 0 ||
        ::getsockname(socket.get(), &address, &length) != 0) {
        return socket;
    }
    ReceiveBatch batch(1, 1);
    for (int trial = 0; trial < trials_max; ++trial) {
        const std::byte octet{};
        ::sendto(socket.get(), &octet, sizeof(octet), 0, &address, length);
        if (batch.receive(socket) == 1 && batch.datagram(0).arrival) break;
        ::poll(nullptr, 0, trial_pause_ms);
    }
    return socket;
}

void request_arrivals(const Fd& socket) {
    static const Fd keeper = await_arrivals();
    set_arrivals(socket);
}

int family_of(const Endpoint& endpoint) noexcept {
    return is_ipv4(endpoint.address) ? AF_INET : AF_INET6;
}

bool bind_to(const Fd& socket, const Endpoint& local) noexcept {
    sockaddr_storage address{};
    const socklen_t length = as_sockaddr(local, address);
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0;
}

Endpoint any_address(const ListenOptions& options) {
    return parse_endpoint(options.is_ipv6 ? "::" : "0.0.0.0", options.port).value();
}

// The port is chosen when the target is known: each target, or source, has all ports.
bool bind_source(const Fd& socket, const ProbePath& path) noexcept {
    if (!path.source) return true;
    set_option(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    // A whole network may be routed to this host; none of its addresses need be configured.
    set_option(socket, IPPROTO_IP, IP_FREEBIND, 1);
    return bind_to(socket, Endpoint{.address = *path.source});
}

bool begin_to_connect(const Fd& socket, const Endpoint& target) noexcept {
    sockaddr_storage address{};
    const socklen_t length = as_sockaddr(target, address);
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0 ||
           errno == EINPROGRESS;
}

}  // namespace

Result<Endpoint> find_target(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    const int result = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (result != 0) {
        return fail(ExitCode::usage,
                    fmt::format("--target {} is no address and no name that can be found: {}", host,
                                ::gai_strerror(result)));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
    Endpoint target = from_sockaddr(*found->ai_addr);
    target.port = port;
    if (!is_fit_for_load(target.address)) {
        return fail(ExitCode::usage,
                    fmt::format("--target {} is a public address; aim a load at loopback, a "
                                "namespace or a private network",
                                to_string(target.address)));
    }
    return target;
}

Result<Fd> open_reflecting_udp(const ListenOptions& options) {
    const Endpoint local = any_address(options);
    Fd socket = open_socket(family_of(local), SOCK_DGRAM);
    if (!socket.is_open()) return socket_error("no socket for UDP", local);
    set_option(socket, SOL_SOCKET, SO_REUSEPORT, 1);
    set_option(socket, SOL_SOCKET, SO_RCVBUF, buffer_bytes);
    set_option(socket, SOL_SOCKET, SO_SNDBUF, buffer_bytes);
    request_arrivals(socket);
    if (options.is_ipv6) {
        set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        set_option(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        set_option(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
        set_option(socket, IPPROTO_IPV6, IPV6_FREEBIND, 1);  // As in bind_source().
    } else {
        set_option(socket, IPPROTO_IP, IP_PKTINFO, 1);
        set_option(socket, IPPROTO_IP, IP_RECVTTL, 1);
        set_option(socket, IPPROTO_IP, IP_FREEBIND, 1);
    }
    if (!bind_to(socket, local)) return socket_error("cannot listen on UDP", local);
    return socket;
}

Result<Fd> open_listener(const ListenOptions& options) {
    const Endpoint local = any_address(options);
    Fd socket = open_socket(family_of(local), SOCK_STREAM);
    if (!socket.is_open()) return socket_error("no socket for TCP", local);
    set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
    request_arrivals(socket);  // Accepted sockets inherit it.
    if (options.is_ipv6) set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (!bind_to(socket, local) || ::listen(socket.get(), backlog) != 0) {
        return socket_error("cannot listen on TCP", local);
    }
    return socket;
}

Result<Fd> open_probing_udp(const ProbePath& path) {
    Fd socket = open_socket(family_of(path.target), SOCK_DGRAM);
    if (!socket.is_open()) return socket_error("no socket for UDP to", path.target);
    set_option(socket, SOL_SOCKET, SO_RCVBUF, buffer_bytes);
    set_option(socket, SOL_SOCKET, SO_SNDBUF, buffer_bytes);
    request_arrivals(socket);
    if (!bind_source(socket, path) || !begin_to_connect(socket, path.target)) {
        return socket_error("no route for UDP to", path.target);
    }
    return socket;
}

Result<Fd> begin_connect(const ProbePath& path) {
    Fd socket = open_socket(family_of(path.target), SOCK_STREAM);
    if (!socket.is_open()) return socket_error("no socket for TCP to", path.target);
    set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    request_arrivals(socket);
    if (!bind_source(socket, path) || !begin_to_connect(socket, path.target)) {
        return socket_error("cannot connect by TCP to", path.target);
    }
    return socket;
}

std::uint64_t kernel_drops(const Fd& socket) noexcept {
    // The same counter as SO_RXQ_OVFL's, but it can be asked for, not only got with a datagram.
    std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
    socklen_t length = sizeof(info);
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_MEMINFO, info.data(), &length) != 0) return 0;
    return info[SK_MEMINFO_DROPS];
}

}  // namespace latmon::loadgen
