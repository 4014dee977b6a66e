// SPDX-License-Identifier: Apache-2.0
//
// Who must authenticate, and with which key.
#include "probe/reflector_keys.hpp"

#include <doctest/doctest.h>
#include <array>
#include <string_view>

namespace latmon {
namespace {

HmacKey key_from(std::string_view secret) {
    return HmacKey(std::as_bytes(std::span(secret)));
}

AddressBytes address(const char* literal) {
    return parse_endpoint(literal, 0)->address;
}

}  // namespace

TEST_CASE("reflector_keys: without entries nobody must authenticate") {
    const ReflectorKeys keys;
    CHECK(keys.is_empty());
    CHECK(keys.find(address("10.0.0.1")) == nullptr);
    CHECK(keys.find(address("::1")) == nullptr);
}

TEST_CASE("reflector_keys: whoever is in a prefix has its key, of both families") {
    const HmacKey one = key_from("one");
    const HmacKey other = key_from("other");
    ReflectorKeys keys;
    const std::array<Prefix, 2> ours{*parse_prefix("10.1.0.0/16"), *parse_prefix("fd00::/8")};
    const std::array<Prefix, 1> theirs{*parse_prefix("192.0.2.7/32")};
    keys.add(ours, &one);
    keys.add(theirs, &other);
    CHECK(!keys.is_empty());
    CHECK(keys.find(address("10.1.0.0")) == &one);
    CHECK(keys.find(address("10.1.255.255")) == &one);
    CHECK(keys.find(address("fd00::17")) == &one);
    CHECK(keys.find(address("192.0.2.7")) == &other);
    CHECK(keys.find(address("10.2.0.0")) == nullptr);
    CHECK(keys.find(address("10.0.255.255")) == nullptr);
    CHECK(keys.find(address("192.0.2.8")) == nullptr);
    CHECK(keys.find(address("fe80::1")) == nullptr);
}

TEST_CASE("reflector_keys: the first entry that holds an address counts, not the narrowest") {
    const HmacKey wide = key_from("wide");
    const HmacKey narrow = key_from("narrow");
    const std::array<Prefix, 1> wide_prefix{*parse_prefix("10.0.0.0/8")};
    const std::array<Prefix, 1> narrow_prefix{*parse_prefix("10.1.2.3/32")};
    ReflectorKeys wide_first;
    wide_first.add(wide_prefix, &wide);
    wide_first.add(narrow_prefix, &narrow);
    CHECK(wide_first.find(address("10.1.2.3")) == &wide);
    ReflectorKeys narrow_first;
    narrow_first.add(narrow_prefix, &narrow);
    narrow_first.add(wide_prefix, &wide);
    CHECK(narrow_first.find(address("10.1.2.3")) == &narrow);
    CHECK(narrow_first.find(address("10.1.2.4")) == &wide);
}

}  // namespace latmon
