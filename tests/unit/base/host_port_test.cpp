// SPDX-License-Identifier: Apache-2.0
//
// What is a host, what is its port, and what is neither.
#include "base/host_port.hpp"

#include <doctest/doctest.h>
#include <string>

namespace latmon {
namespace {

HostAndPort split(std::string_view text) {
    const std::expected<HostAndPort, HostPortFault> result = split_host_port(text);
    if (!result) FAIL(std::string(text));
    return *result;
}

HostPortFault fault_of(std::string_view text) {
    const std::expected<HostAndPort, HostPortFault> result = split_host_port(text);
    if (result) FAIL(std::string(text));
    return result.error();
}

TEST_CASE("host_port: a host may bring its port, and IPv6 then has brackets") {
    CHECK(split("router").host == "router");
    CHECK_FALSE(split("router").port);
    CHECK(split("router:4000").host == "router");
    CHECK(split("router:4000").port == 4'000);
    CHECK(split("192.0.2.1:65535").host == "192.0.2.1");
    CHECK(split("192.0.2.1:65535").port == 65'535);
    CHECK(split("[2001:db8::1]:862").host == "2001:db8::1");
    CHECK(split("[2001:db8::1]:862").port == 862);
    CHECK(split("[2001:db8::1]").host == "2001:db8::1");
    CHECK_FALSE(split("[2001:db8::1]").port);
    CHECK(split("[fe80::1%eth0]:1").host == "fe80::1%eth0");
}

TEST_CASE("host_port: an IPv6 address without brackets is all host") {
    for (const std::string text : {"2001:db8::1", "::1", "::", "fe80::1%eth0", "::1:862"}) {
        CHECK(split(text).host == text);
        CHECK_FALSE(split(text).port);
    }
}

TEST_CASE("host_port: what is wrong is told apart") {
    for (const char* const text : {"[::1", "[", "[::1]862", "[::1]x:1", "[[::1]]"}) {
        CAPTURE(text);
        CHECK(fault_of(text) == HostPortFault::brackets);
    }
    for (const char* const text : {"", ":862", ":", "[]", "[]:862"}) {
        CAPTURE(text);
        CHECK(fault_of(text) == HostPortFault::no_host);
    }
    for (const char* const text :
         {"router:", "router:0", "router:00", "router:65536", "router:x", "router:1x", "router:+1",
          "router: 1", "router:-1", "[::1]:", "[::1]:0", "[::1]:1:2", "[::1]::1"}) {
        CAPTURE(text);
        CHECK(fault_of(text) == HostPortFault::port);
    }
}

TEST_CASE("host_port: an endpoint is an address with its port, and is written as it was read") {
    for (const std::string text :
         {"192.0.2.1:862", "0.0.0.0:0", "[2001:db8::1]:65535", "[::]:0", "127.0.0.1:1"}) {
        const std::optional<Endpoint> endpoint = parse_endpoint(text);
        REQUIRE(endpoint);
        CHECK(to_string(*endpoint) == text);
    }
}

TEST_CASE("host_port: nothing else is an endpoint") {
    for (const char* const text :
         {"", ":", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:+1", "192.0.2.1:1:2",
          "[192.0.2.1]:1", "2001:db8::1", "::1:862", "[::1]", "[::1]:", "[::1:1", "[::1]862",
          "localhost:1", "[localhost]:1", "1.2.3:4", "[]:1", " 192.0.2.1:1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_endpoint(text));
    }
}

}  // namespace
}  // namespace latmon
