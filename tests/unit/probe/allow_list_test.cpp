// SPDX-License-Identifier: Apache-2.0
//
// Answered are the listed and the targets, and a target's address only for as long as it is one.
#include "probe/allow_list.hpp"

#include <doctest/doctest.h>
#include <random>
#include <set>
#include <string>

namespace latmon {
namespace {

AddressBytes address(const std::string& literal) {
    const auto endpoint = parse_endpoint(literal, 0);
    REQUIRE(endpoint);
    return endpoint->address;
}

AddressBytes numbered(std::uint32_t number) {
    AddressBytes bytes = address("198.18.0.0");
    bytes[13] = static_cast<std::uint8_t>(bytes[13] + (number >> 16U));
    bytes[14] = static_cast<std::uint8_t>(number >> 8U);
    bytes[15] = static_cast<std::uint8_t>(number);
    return bytes;
}

ReflectorConfig config() {
    ReflectorConfig config;
    config.allow = {parse_prefix("127.0.0.0/8").value(), parse_prefix("10.0.0.0/8").value()};
    config.service_source_allow = {parse_prefix("10.9.0.0/16").value()};
    return config;
}

constexpr HashKey key{0x1234, 0x5678};

TEST_CASE("allow list: prefixes are allowed, the rest is not") {
    const AllowList list(config(), 0, key);
    CHECK(list.is_allowed(address("10.1.2.3")));
    CHECK(list.is_allowed(address("127.0.0.1")));
    CHECK_FALSE(list.is_allowed(address("192.0.2.1")));
    CHECK_FALSE(list.is_allowed(address("2001:db8::1")));
    CHECK_FALSE(list.allows_any());
}

TEST_CASE("allow list: any allows all and provisions nobody") {
    ReflectorConfig any = config();
    any.allow_any = true;
    const AllowList list(any, 4, key);
    CHECK(list.allows_any());
    CHECK(list.is_allowed(address("192.0.2.1")));
    CHECK(list.is_allowed(address("2001:db8::1")));
    CHECK_FALSE(list.is_provisioned(address("192.0.2.1")));
}

TEST_CASE("allow list: loopback and targets are provisioned, an allowed prefix is not") {
    AllowList list(config(), 2, key);
    list.set_target_address(0, address("192.0.2.1"));
    list.set_target_address(1, address("2001:db8::1"));
    for (const char* in : {"192.0.2.1", "2001:db8::1", "127.0.0.1", "127.255.0.9", "::1"}) {
        CAPTURE(in);
        CHECK(list.is_provisioned(address(in)));
    }
    CHECK(list.is_allowed(address("192.0.2.1")));
    CHECK(list.is_allowed(address("2001:db8::1")));
    for (const char* out : {"10.1.2.3", "192.0.2.2", "2001:db8::2", "128.0.0.1", "::2", "::"}) {
        CAPTURE(out);
        CHECK_FALSE(list.is_provisioned(address(out)));
    }
}

TEST_CASE("allow list: a service source is one of its own list only") {
    AllowList list(config(), 1, key);
    list.set_target_address(0, address("192.0.2.1"));
    CHECK(list.is_service_source_allowed(address("10.9.1.1")));
    CHECK_FALSE(list.is_service_source_allowed(address("10.8.1.1")));
    CHECK_FALSE(list.is_service_source_allowed(address("192.0.2.1")));
}

TEST_CASE("allow list: a target that moves leaves its old address behind") {
    AllowList list(config(), 1, key);
    list.set_target_address(0, address("192.0.2.1"));
    list.set_target_address(0, address("192.0.2.2"));
    CHECK_FALSE(list.is_allowed(address("192.0.2.1")));
    CHECK(list.is_allowed(address("192.0.2.2")));
    list.set_target_address(0, AddressBytes{});
    CHECK_FALSE(list.is_allowed(address("192.0.2.2")));
    CHECK_FALSE(list.is_allowed(AddressBytes{}));
}

TEST_CASE("allow list: an address of two targets stays until both have left it") {
    AllowList list(config(), 2, key);
    list.set_target_address(0, address("192.0.2.1"));
    list.set_target_address(1, address("192.0.2.1"));
    list.set_target_address(1, address("192.0.2.1"));  // Said twice, counted once.
    list.set_target_address(0, address("192.0.2.7"));
    CHECK(list.is_provisioned(address("192.0.2.1")));
    list.set_target_address(1, address("192.0.2.8"));
    CHECK_FALSE(list.is_provisioned(address("192.0.2.1")));
}

TEST_CASE("allow list: 5,000 targets that keep moving are known exactly") {
    constexpr std::uint32_t targets = 5'000;
    constexpr std::uint32_t addresses = 8'000;  // Fewer than moves: collisions, reuse and sharing.
    AllowList list({}, targets, key);
    std::vector<std::uint32_t> where(targets, addresses);
    std::mt19937 random(6);
    for (std::uint32_t round = 0; round < 100'000; ++round) {
        const std::uint32_t slot =
            round < targets ? round : static_cast<std::uint32_t>(random() % targets);
        where[slot] = static_cast<std::uint32_t>(random() % addresses);
        list.set_target_address(slot, numbered(where[slot]));
    }
    const std::set<std::uint32_t> present(where.begin(), where.end());
    for (std::uint32_t number = 0; number < addresses; ++number) {
        const bool is_expected = present.contains(number);
        if (list.is_provisioned(numbered(number)) != is_expected) FAIL_CHECK(number);
    }
}

}  // namespace
}  // namespace latmon
