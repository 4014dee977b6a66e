// SPDX-License-Identifier: Apache-2.0
//
// "host:port" as people write it, on a command line, in a file or in a question to the admin
// listener: who is meant, and which port of theirs, with IPv6 in brackets. Says what is wrong, and
// leaves the words for it to whoever asks. Pure; knows nothing of names. Any thread.
#pragma once

#include "base/address.hpp"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace latmon {

struct HostAndPort {
    std::string host;                     // An address without brackets, or a name; never empty.
    std::optional<std::uint16_t> port{};  // 1 to 65535.
};

enum class HostPortFault : std::uint8_t {
    brackets,  // They do not close, or something else than a port follows.
    no_host,
    port  // What is behind the last colon is none.
};

// "host", "host:port", "192.0.2.1:862", "[2001:db8::1]:862", "[2001:db8::1]" or "2001:db8::1" taken
// apart. Whether the host is one is not looked at.
[[nodiscard]] std::expected<HostAndPort, HostPortFault> split_host_port(std::string_view text);

// "192.0.2.1:862" or "[2001:db8::1]:862", as to_string() writes an endpoint. Nothing else: no
// names, and no address without a port, which may be 0.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace latmon
