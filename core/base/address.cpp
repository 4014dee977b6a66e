// SPDX-License-Identifier: Apache-2.0
//
// Endpoints and prefixes. inet_pton(3) does the parsing; the rest is moving octets.
#include "base/address.hpp"

#include "base/assert.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <algorithm>
#include <charconv>
#include <cstring>

namespace latmon {
namespace {

constexpr std::array<std::uint8_t, 12> ipv4_mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

AddressBytes map_ipv4(const in_addr& address) noexcept {
    AddressBytes bytes{};
    std::copy(ipv4_mapped.begin(), ipv4_mapped.end(), bytes.begin());
    std::memcpy(bytes.data() + ipv4_mapped.size(), &address, sizeof(address));
    return bytes;
}

// Keeps the first `bits` bits and clears the rest.
AddressBytes keep_bits(AddressBytes bytes, unsigned bits) noexcept {
    for (unsigned index = 0; index < bytes.size(); ++index) {
        const unsigned first_bit = index * 8;
        if (bits <= first_bit) {
            bytes[index] = 0;
        } else if (bits < first_bit + 8) {
            bytes[index] =
                static_cast<std::uint8_t>(bytes[index] & (0xff00U >> (bits - first_bit)));
        }
    }
    return bytes;
}

}  // namespace

bool is_ipv4(const AddressBytes& address) noexcept {
    return std::equal(ipv4_mapped.begin(), ipv4_mapped.end(), address.begin());
}

bool is_unspecified(const Endpoint& endpoint) noexcept {
    const auto first = endpoint.address.begin() + (is_ipv4(endpoint.address) ? 12 : 0);
    return std::all_of(first, endpoint.address.end(),
                       [](std::uint8_t octet) { return octet == 0; });
}

bool is_multicast(const AddressBytes& address) noexcept {
    if (!is_ipv4(address)) return address[0] == 0xff;
    const bool is_broadcast = std::all_of(address.begin() + 12, address.end(),
                                          [](std::uint8_t octet) { return octet == 0xff; });
    return is_broadcast || (address[12] & 0xf0U) == 0xe0U;
}

std::optional<Endpoint> parse_endpoint(std::string_view literal, std::uint16_t port) {
    // The C functions below would take what is before it.
    if (literal.find('\0') != std::string_view::npos) return std::nullopt;
    const std::size_t percent = literal.find('%');
    const std::string address(literal.substr(0, percent));
    Endpoint endpoint{.address = {}, .scope_id = 0, .port = port, .padding = 0};
    in_addr ipv4{};
    if (percent == std::string_view::npos && ::inet_pton(AF_INET, address.c_str(), &ipv4) == 1) {
        endpoint.address = map_ipv4(ipv4);
        return endpoint;
    }
    if (::inet_pton(AF_INET6, address.c_str(), endpoint.address.data()) != 1) return std::nullopt;
    if (percent != std::string_view::npos) {
        endpoint.scope_id = ::if_nametoindex(std::string(literal.substr(percent + 1)).c_str());
        if (endpoint.scope_id == 0) return std::nullopt;
    }
    return endpoint;
}

std::string to_string(const AddressBytes& address) {
    char text[INET6_ADDRSTRLEN] = {};
    const char* result = is_ipv4(address)
                             ? ::inet_ntop(AF_INET, address.data() + 12, text, sizeof(text))
                             : ::inet_ntop(AF_INET6, address.data(), text, sizeof(text));
    LATMON_ASSERT(result != nullptr);
    return text;
}

std::string to_string(const Endpoint& endpoint) {
    std::string text = to_string(endpoint.address);
    if (!is_ipv4(endpoint.address)) text = "[" + text + "]";
    return text + ":" + std::to_string(endpoint.port);
}

socklen_t as_sockaddr(const Endpoint& endpoint, sockaddr_storage& out) noexcept {
    out = {};
    if (is_ipv4(endpoint.address)) {
        sockaddr_in ipv4{};
        ipv4.sin_family = AF_INET;
        ipv4.sin_port = htons(endpoint.port);
        std::memcpy(&ipv4.sin_addr, endpoint.address.data() + 12, sizeof(ipv4.sin_addr));
        std::memcpy(&out, &ipv4, sizeof(ipv4));
        return sizeof(ipv4);
    }
    sockaddr_in6 ipv6{};
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(endpoint.port);
    ipv6.sin6_scope_id = endpoint.scope_id;
    std::memcpy(&ipv6.sin6_addr, endpoint.address.data(), endpoint.address.size());
    std::memcpy(&out, &ipv6, sizeof(ipv6));
    return sizeof(ipv6);
}

Endpoint from_sockaddr(const sockaddr& address) noexcept {
    Endpoint endpoint;
    if (address.sa_family == AF_INET) {
        sockaddr_in ipv4{};
        std::memcpy(&ipv4, &address, sizeof(ipv4));
        endpoint.address = map_ipv4(ipv4.sin_addr);
        endpoint.port = ntohs(ipv4.sin_port);
    } else if (address.sa_family == AF_INET6) {
        sockaddr_in6 ipv6{};
        std::memcpy(&ipv6, &address, sizeof(ipv6));
        std::memcpy(endpoint.address.data(), &ipv6.sin6_addr, endpoint.address.size());
        endpoint.scope_id = ipv6.sin6_scope_id;
        endpoint.port = ntohs(ipv6.sin6_port);
    }
    return endpoint;
}

bool Prefix::contains(const AddressBytes& other) const noexcept {
    return keep_bits(other, bits) == address;
}

std::optional<Prefix> parse_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::optional<Endpoint> endpoint = parse_endpoint(text.substr(0, slash), 0);
    if (!endpoint || endpoint->scope_id != 0) return std::nullopt;
    const unsigned offset = is_ipv4(endpoint->address) ? 96 : 0;
    unsigned bits = 128 - offset;
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        const auto [end, error] = std::from_chars(digits.begin(), digits.end(), bits);
        if (error != std::errc{} || end != digits.end() || bits > 128 - offset) return std::nullopt;
    }
    const Prefix prefix{endpoint->address, static_cast<std::uint8_t>(bits + offset)};
    if (!prefix.contains(prefix.address)) return std::nullopt;
    return prefix;
}

std::string to_string(const Prefix& prefix) {
    const int bits = is_ipv4(prefix.address) ? prefix.bits - 96 : prefix.bits;
    return to_string(prefix.address) + "/" + std::to_string(bits);
}

}  // namespace latmon
