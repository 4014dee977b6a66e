// SPDX-License-Identifier: Apache-2.0
//
// Endpoints and prefixes: which literals are addresses, and that text and the kernel's form lead
// back to the same value. Documentation prefixes (RFC 5737, RFC 3849) stand for real ones.
#include "base/address.hpp"

#include <doctest/doctest.h>
#include <net/if.h>
#include <cstring>

namespace latmon {
namespace {

AddressBytes address_of(const char* literal) {
    const std::optional<Endpoint> endpoint = parse_endpoint(literal, 0);
    REQUIRE(endpoint.has_value());
    return endpoint->address;
}

Prefix prefix_of(const char* text) {
    const std::optional<Prefix> prefix = parse_prefix(text);
    REQUIRE_MESSAGE(prefix.has_value(), text);
    return *prefix;
}

TEST_CASE("address: literals of both families are read and written alike") {
    CHECK(to_string(address_of("192.0.2.1")) == "192.0.2.1");
    CHECK(to_string(address_of("2001:DB8:0:0::1")) == "2001:db8::1");
    CHECK(to_string(*parse_endpoint("192.0.2.1", 8001)) == "192.0.2.1:8001");
    CHECK(to_string(*parse_endpoint("2001:db8::1", 8001)) == "[2001:db8::1]:8001");
}

TEST_CASE("address: an IPv4 address has one form, mapped or not") {
    CHECK(is_ipv4(address_of("192.0.2.1")));
    CHECK(address_of("::ffff:192.0.2.1") == address_of("192.0.2.1"));
    CHECK_FALSE(is_ipv4(address_of("::192.0.2.1")));
    CHECK_FALSE(is_ipv4(address_of("::ff00:192.0.2.1")));
    CHECK_FALSE(is_ipv4(address_of("2001:db8::1")));
}

TEST_CASE("address: what is no literal is no endpoint") {
    for (const char* text : {"", "localhost", "192.0.2", "192.0.2.256", "192.0.2.1:80", "[::1]",
                             "::1::", " 192.0.2.1", "192.0.2.1 ", "192.0.2.1%lo", "0x7f.1"}) {
        CHECK_MESSAGE(!parse_endpoint(text, 0), text);
    }
    using namespace std::string_view_literals;
    CHECK_FALSE(parse_endpoint("192.0.2.1\0"sv, 0));
    CHECK_FALSE(parse_endpoint("fe80::1%lo\0x"sv, 0));
}

TEST_CASE("address: a scope is an interface of this host, by name") {
    const std::optional<Endpoint> endpoint = parse_endpoint("fe80::1%lo", 7);
    REQUIRE(endpoint.has_value());
    CHECK(endpoint->scope_id == ::if_nametoindex("lo"));
    CHECK(endpoint->scope_id != 0);
    CHECK(endpoint->port == 7);
    CHECK_FALSE(parse_endpoint("fe80::1%no-such-link", 7));
    CHECK_FALSE(parse_endpoint("fe80::1%", 7));
}

TEST_CASE("address: unspecified means no address of either family") {
    CHECK(is_unspecified(Endpoint{}));
    CHECK(is_unspecified(*parse_endpoint("0.0.0.0", 1)));
    CHECK(is_unspecified(*parse_endpoint("::", 1)));
    CHECK_FALSE(is_unspecified(*parse_endpoint("0.0.0.1", 0)));
    CHECK_FALSE(is_unspecified(*parse_endpoint("::1", 0)));
}

TEST_CASE("address: multicast and broadcast are known in both families") {
    CHECK(is_multicast(address_of("224.0.0.0")));
    CHECK(is_multicast(address_of("239.255.255.255")));
    CHECK(is_multicast(address_of("255.255.255.255")));
    CHECK(is_multicast(address_of("ff02::1")));
    CHECK_FALSE(is_multicast(address_of("223.255.255.255")));
    CHECK_FALSE(is_multicast(address_of("240.0.0.1")));
    CHECK_FALSE(is_multicast(address_of("fe80::1")));
}

TEST_CASE("address: the kernel's form and back is exact") {
    for (const char* literal : {"192.0.2.1", "2001:db8::1", "fe80::1%lo", "0.0.0.0", "::"}) {
        const Endpoint endpoint = *parse_endpoint(literal, 0xabcd);
        sockaddr_storage storage{};
        const socklen_t length = as_sockaddr(endpoint, storage);
        CHECK(length == (is_ipv4(endpoint.address) ? sizeof(sockaddr_in) : sizeof(sockaddr_in6)));
        CHECK(storage.ss_family == (is_ipv4(endpoint.address) ? AF_INET : AF_INET6));
        CHECK(from_sockaddr(reinterpret_cast<const sockaddr&>(storage)) == endpoint);
    }
}

TEST_CASE("address: the kernel's form has the port in network order") {
    sockaddr_storage storage{};
    REQUIRE(as_sockaddr(*parse_endpoint("192.0.2.1", 0x1234), storage) == sizeof(sockaddr_in));
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &storage, sizeof(ipv4));
    CHECK(ntohs(ipv4.sin_port) == 0x1234);
    CHECK(ntohl(ipv4.sin_addr.s_addr) == 0xc0000201U);
}

TEST_CASE("address: another family's form is no endpoint") {
    sockaddr_storage storage{};
    storage.ss_family = AF_UNIX;
    CHECK(is_unspecified(from_sockaddr(reinterpret_cast<const sockaddr&>(storage))));
}

TEST_CASE("address: a prefix holds what shares its bits and nothing else") {
    const Prefix ipv4 = prefix_of("198.51.100.128/25");
    CHECK(ipv4.contains(address_of("198.51.100.128")));
    CHECK(ipv4.contains(address_of("198.51.100.255")));
    CHECK_FALSE(ipv4.contains(address_of("198.51.100.127")));
    CHECK_FALSE(ipv4.contains(address_of("198.51.101.128")));

    const Prefix ipv6 = prefix_of("2001:db8::/33");
    CHECK(ipv6.contains(address_of("2001:db8:7fff::1")));
    CHECK_FALSE(ipv6.contains(address_of("2001:db8:8000::1")));
}

TEST_CASE("address: a prefix of one family holds nothing of the other") {
    CHECK_FALSE(prefix_of("0.0.0.0/0").contains(address_of("::1")));
    CHECK(prefix_of("0.0.0.0/0").contains(address_of("192.0.2.1")));
    CHECK_FALSE(prefix_of("2001:db8::/32").contains(address_of("192.0.2.1")));
}

TEST_CASE("address: a prefix without a length is one address") {
    CHECK(prefix_of("192.0.2.1") == prefix_of("192.0.2.1/32"));
    CHECK(prefix_of("2001:db8::1") == prefix_of("2001:db8::1/128"));
    CHECK_FALSE(prefix_of("192.0.2.1").contains(address_of("192.0.2.2")));
}

TEST_CASE("address: prefixes are read and written alike") {
    for (const char* text : {"10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "fd00::/8", "::/0"}) {
        CHECK(to_string(prefix_of(text)) == text);
    }
}

TEST_CASE("address: a prefix with stray bits or a bad length is refused") {
    for (const char* text : {"10.0.0.1/8", "2001:db8::1/64", "10.0.0.0/33", "fd00::/129", "/8",
                             "10.0.0.0/", "10.0.0.0/8x", "10.0.0.0/-1", "10.0.0.0/ 8", "host/8",
                             "fe80::%lo/10", "10.0.0.0/4294967304"}) {
        CHECK_MESSAGE(!parse_prefix(text), text);
    }
}

}  // namespace
}  // namespace latmon
