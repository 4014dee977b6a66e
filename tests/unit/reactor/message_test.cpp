// SPDX-License-Identifier: Apache-2.0
//
// What a message looks like to sendmsg(2), read back with the kernel's own macros.
#include "reactor/message.hpp"

#include <doctest/doctest.h>
#include <array>
#include <cstring>

namespace latmon {

TEST_CASE("message: the payload is its pieces in order") {
    const std::array<std::byte, 3> first{std::byte{1}, std::byte{2}, std::byte{3}};
    const std::array<std::byte, 2> second{std::byte{4}, std::byte{5}};
    Message message;
    message.set_payload(first, second);
    CHECK(message.payload_bytes() == 5);
    CHECK(message.header().msg_iovlen == 2);
    CHECK(message.header().msg_iov[1].iov_base == second.data());
    message.set_payload(first);
    CHECK(message.payload_bytes() == 3);
    CHECK(message.header().msg_iovlen == 1);
}

TEST_CASE("message: a route names destination, local address and traffic class") {
    for (const bool is_ipv6 : {false, true}) {
        const Endpoint to = *parse_endpoint(is_ipv6 ? "fd00::1" : "10.0.0.1", 862);
        const Endpoint from = *parse_endpoint(is_ipv6 ? "fd00::2" : "10.0.0.2", 0);
        RoutedMessage message;
        message.set_route(to, from, 0xb8);
        msghdr header = message.header();
        CHECK(from_sockaddr(*static_cast<const sockaddr*>(header.msg_name)) == to);
        cmsghdr* control = CMSG_FIRSTHDR(&header);
        REQUIRE(control != nullptr);
        CHECK(control->cmsg_type == (is_ipv6 ? IPV6_PKTINFO : IP_PKTINFO));
        if (is_ipv6) {
            in6_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(control), sizeof(info));
            CHECK(std::memcmp(&info.ipi6_addr, from.address.data(), 16) == 0);
        } else {
            in_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(control), sizeof(info));
            CHECK(std::memcmp(&info.ipi_spec_dst, from.address.data() + 12, 4) == 0);
        }
        control = CMSG_NXTHDR(&header, control);
        REQUIRE(control != nullptr);
        CHECK(control->cmsg_type == (is_ipv6 ? IPV6_TCLASS : IP_TOS));
        int traffic_class = 0;
        std::memcpy(&traffic_class, CMSG_DATA(control), sizeof(traffic_class));
        CHECK(traffic_class == 0xb8);
        CHECK(CMSG_NXTHDR(&header, control) == nullptr);
    }
}

TEST_CASE("message: a key follows the route, may change, and can be left out") {
    for (const bool has_route : {false, true}) {
        const std::array<std::byte, 3> payload{};
        RoutedMessage message;
        message.set_payload(payload);
        if (has_route) {
            message.set_route(*parse_endpoint("fd00::1", 862), *parse_endpoint("fd00::2", 0), 0xb8);
        }
        CHECK(!message.has_key());
        const std::size_t route_bytes = message.header().msg_controllen;
        for (const std::uint32_t key : {7U, 0xFFFF'FFFFU}) {
            message.set_key(key);
            CHECK(message.has_key());
            CHECK(message.key() == key);
            msghdr header = message.header();
            cmsghdr* control = CMSG_FIRSTHDR(&header);
            for (int skipped = 0; skipped < (has_route ? 2 : 0); ++skipped) {
                control = CMSG_NXTHDR(&header, control);
            }
            REQUIRE(control != nullptr);
            CHECK(control->cmsg_level == SOL_SOCKET);
            CHECK(control->cmsg_type == 81);  // SCM_TS_OPT_ID of asm-generic/socket.h.
            std::uint32_t value = 0;
            std::memcpy(&value, CMSG_DATA(control), sizeof(value));
            CHECK(value == key);
            CHECK(CMSG_NXTHDR(&header, control) == nullptr);
            const msghdr keyless = message.header_without_key();
            CHECK(keyless.msg_controllen == route_bytes);
            CHECK((keyless.msg_control != nullptr) == has_route);
            CHECK(keyless.msg_iov == header.msg_iov);
            CHECK(keyless.msg_name == header.msg_name);
        }
        if (has_route) {
            message.set_route(*parse_endpoint("10.0.0.1", 862), *parse_endpoint("10.0.0.2", 0), 0);
            CHECK(!message.has_key());
        }
    }
}

}  // namespace latmon
