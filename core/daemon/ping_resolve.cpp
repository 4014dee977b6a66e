// SPDX-License-Identifier: Apache-2.0
//
// See ping_resolve.hpp.
#include "daemon/ping_resolve.hpp"

#include "config/mistakes.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <memory>

namespace latmon {

Result<Endpoint> resolve_host(const std::string& host, AddressFamily family) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    if (family == AddressFamily::ipv4) hints.ai_family = AF_INET;
    if (family == AddressFamily::ipv6) hints.ai_family = AF_INET6;
    addrinfo* first = nullptr;
    const int result = ::getaddrinfo(host.c_str(), nullptr, &hints, &first);
    if (result != 0) {
        return fail(ExitCode::usage,
                    fmt::format("{} does not resolve ({}): check the name, and -4 or -6 if given",
                                in_quotes(host), ::gai_strerror(result)));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(first, ::freeaddrinfo);
    for (const addrinfo* entry = first; entry != nullptr; entry = entry->ai_next) {
        const Endpoint address = from_sockaddr(*entry->ai_addr);
        if (!is_unspecified(address) && !is_multicast(address.address)) return address;
    }
    return fail(ExitCode::usage,
                fmt::format("{} has no address that can be probed: write that of one host",
                            in_quotes(host)));
}

}  // namespace latmon
