// SPDX-License-Identifier: Apache-2.0
//
// Claims about finding a host's address, as far as no name server is needed.
#include "daemon/ping_resolve.hpp"

#include <doctest/doctest.h>
#include <string>

namespace latmon {
namespace {

Endpoint address_of(const std::string& host, AddressFamily family) {
    const Result<Endpoint> address = resolve_host(host, family);
    if (!address) FAIL(address.error().text);
    return *address;
}

TEST_CASE("ping_resolve: a literal is its own address") {
    CHECK(address_of("127.0.0.1", AddressFamily::any) == parse_endpoint("127.0.0.1", 0));
    CHECK(address_of("::1", AddressFamily::any) == parse_endpoint("::1", 0));
    CHECK(address_of("127.0.0.1", AddressFamily::ipv4) == parse_endpoint("127.0.0.1", 0));
}

TEST_CASE("ping_resolve: a literal of the family that is not wanted is no address") {
    const Result<Endpoint> address = resolve_host("127.0.0.1", AddressFamily::ipv6);
    REQUIRE_FALSE(address.has_value());
    CHECK(address.error().code == ExitCode::usage);
    CHECK(address.error().text.find("\"127.0.0.1\" does not resolve") != std::string::npos);
}

TEST_CASE("ping_resolve: what is not one host's address is refused") {
    for (const char* host : {"0.0.0.0", "::", "224.0.0.1", "ff02::1"}) {
        CAPTURE(host);
        CHECK_FALSE(resolve_host(host, AddressFamily::any).has_value());
    }
}

}  // namespace
}  // namespace latmon
