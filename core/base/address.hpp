// SPDX-License-Identifier: Apache-2.0
//
// Internet addresses as values: an endpoint (address and port) and a prefix (address and length),
// for IPv4 and IPv6. Parsing takes literals only; names are the resolver's affair. Everything here
// is pure and, but for text, allocates nothing.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace latmon {

// 16 octets in network order; IPv4 stands as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), so that one
// comparison serves both families.
using AddressBytes = std::array<std::uint8_t, 16>;

// One end of a path. Trivially copyable: it travels through queues.
struct Endpoint {
    AddressBytes address{};      // All zero: none.
    std::uint32_t scope_id = 0;  // Interface index of a link-local IPv6 address, else 0.
    std::uint16_t port = 0;      // Host byte order.
    std::uint16_t padding = 0;

    friend bool operator==(const Endpoint&, const Endpoint&) noexcept = default;
};

[[nodiscard]] bool is_ipv4(const AddressBytes& address) noexcept;
[[nodiscard]] bool is_unspecified(const Endpoint& endpoint) noexcept;   // 0.0.0.0, :: or none.
[[nodiscard]] bool is_multicast(const AddressBytes& address) noexcept;  // Or 255.255.255.255.

// "192.0.2.1", "2001:db8::1" or "fe80::1%eth0", with the port given apart. Nothing else: no names.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view literal, std::uint16_t port);

// "192.0.2.1:8001" or "[2001:db8::1]:8001".
[[nodiscard]] std::string to_string(const Endpoint& endpoint);
// Without the port: "192.0.2.1", "2001:db8::1".
[[nodiscard]] std::string to_string(const AddressBytes& address);

// To and from the kernel's form. `as_sockaddr` returns the length used (16 or 28 octets).
[[nodiscard]] socklen_t as_sockaddr(const Endpoint& endpoint, sockaddr_storage& out) noexcept;
[[nodiscard]] Endpoint from_sockaddr(const sockaddr& address) noexcept;

// A set of addresses that share their first `bits` bits, counted in the 128-bit form.
struct Prefix {
    AddressBytes address{};
    std::uint8_t bits = 0;

    [[nodiscard]] bool contains(const AddressBytes& other) const noexcept;
    friend bool operator==(const Prefix&, const Prefix&) noexcept = default;
};

// "10.0.0.0/8", "fd00::/8" or a single address. Bits behind the length must be zero.
[[nodiscard]] std::optional<Prefix> parse_prefix(std::string_view text);
[[nodiscard]] std::string to_string(const Prefix& prefix);

}  // namespace latmon
