// SPDX-License-Identifier: Apache-2.0
//
// See host_port.hpp. One place knows where the host ends and the port begins; the two public
// functions differ in what they take for a host.
#include "base/host_port.hpp"

#include <charconv>

namespace latmon {
namespace {

struct Parts {
    std::string_view host;
    std::optional<std::string_view> port{};
    bool has_brackets = false;
};

// Nothing if brackets are wrong. More than one colon without brackets is an IPv6 address alone.
std::optional<Parts> take_apart(std::string_view text) noexcept {
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        Parts parts{.host = text.substr(1, end - 1), .has_brackets = true};
        const std::string_view rest = text.substr(end + 1);
        if (rest.empty()) return parts;
        if (!rest.starts_with(':')) return std::nullopt;
        parts.port = rest.substr(1);
        return parts;
    }
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon != text.rfind(':')) return Parts{.host = text};
    return Parts{.host = text.substr(0, colon), .port = text.substr(colon + 1)};
}

std::optional<std::uint16_t> parse_port(std::string_view digits) noexcept {
    std::uint16_t port = 0;
    const char* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, port);
    return error == std::errc{} && rest == end ? std::optional(port) : std::nullopt;
}

}  // namespace

std::expected<HostAndPort, HostPortFault> split_host_port(std::string_view text) {
    const std::optional<Parts> parts = take_apart(text);
    if (!parts) return std::unexpected(HostPortFault::brackets);
    if (parts->host.empty()) return std::unexpected(HostPortFault::no_host);
    HostAndPort result{.host = std::string(parts->host)};
    if (!parts->port) return result;
    result.port = parse_port(*parts->port);
    if (result.port.value_or(0) == 0) return std::unexpected(HostPortFault::port);
    return result;
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const std::optional<Parts> parts = take_apart(text);
    if (!parts || !parts->port) return std::nullopt;
    const std::optional<std::uint16_t> port = parse_port(*parts->port);
    if (!port) return std::nullopt;
    const std::optional<Endpoint> endpoint = parse_endpoint(parts->host, *port);
    if (!endpoint || is_ipv4(endpoint->address) == parts->has_brackets) return std::nullopt;
    return endpoint;
}

}  // namespace latmon
