// SPDX-License-Identifier: Apache-2.0
//
// A set of prefixes answers as its prefixes would one by one.
#include "probe/prefix_set.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <random>
#include <string>

namespace latmon {
namespace {

AddressBytes address(const std::string& literal) {
    const auto endpoint = parse_endpoint(literal, 0);
    REQUIRE(endpoint);
    return endpoint->address;
}

PrefixSet set_of(std::initializer_list<const char*> texts) {
    std::vector<Prefix> prefixes;
    for (const char* text : texts) {
        const auto prefix = parse_prefix(text);
        REQUIRE(prefix);
        prefixes.push_back(*prefix);
    }
    return PrefixSet(prefixes);
}

TEST_CASE("prefix set: holds first and last address of each prefix and not their neighbours") {
    const PrefixSet set =
        set_of({"192.168.4.0/22", "10.0.0.0/8", "203.0.113.7", "fd00::/8", "::1"});
    for (const char* in : {"192.168.4.0", "192.168.7.255", "10.0.0.0", "10.255.255.255",
                           "203.0.113.7", "fd00::", "fdff:ffff::1", "::1"}) {
        CAPTURE(in);
        CHECK(set.contains(address(in)));
    }
    for (const char* out :
         {"192.168.3.255", "192.168.8.0", "9.255.255.255", "11.0.0.0", "203.0.113.6", "203.0.113.8",
          "fcff::1", "fe00::", "::", "::2", "0.0.0.0", "255.255.255.255"}) {
        CAPTURE(out);
        CHECK_FALSE(set.contains(address(out)));
    }
}

TEST_CASE("prefix set: nothing is in an empty one") {
    const PrefixSet set{{}};
    CHECK_FALSE(set.contains(address("127.0.0.1")));
    CHECK_FALSE(set.contains(address("::1")));
}

TEST_CASE("prefix set: everything of one family is not everything") {
    CHECK(set_of({"0.0.0.0/0"}).contains(address("8.8.8.8")));
    CHECK_FALSE(set_of({"0.0.0.0/0"}).contains(address("2001:db8::1")));
    CHECK(set_of({"::/0"}).contains(address("2001:db8::1")));
    CHECK_FALSE(set_of({"::/0"}).contains(address("8.8.8.8")));
}

TEST_CASE("prefix set: a prefix within another neither adds nor takes away") {
    const PrefixSet set = set_of({"10.1.2.0/24", "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/16"});
    CHECK(set.contains(address("10.1.2.3")));
    CHECK(set.contains(address("10.200.0.1")));
    CHECK_FALSE(set.contains(address("11.0.0.0")));
}

TEST_CASE("prefix set: agrees with 2,000 random prefixes asked one by one") {
    std::mt19937 random(5);
    std::vector<Prefix> prefixes;
    while (prefixes.size() < 2'000) {
        const std::string text = std::to_string(random() % 256) + "." +
                                 std::to_string(random() % 256) + "." +
                                 std::to_string(random() % 256) + ".0/24";
        prefixes.push_back(parse_prefix(text).value());
        if (prefixes.size() % 10 == 0) {  // A wider one around it.
            prefixes.push_back(parse_prefix(text.substr(0, text.find('.')) + ".0.0.0/12").value());
        }
    }
    const PrefixSet set(prefixes);
    std::uint32_t inside = 0;
    for (int round = 0; round < 5'000; ++round) {
        AddressBytes one = address("0.0.0.0");
        for (std::size_t index = 12; index < 16; ++index) {
            one[index] = static_cast<std::uint8_t>(random());
        }
        const bool is_expected = std::any_of(prefixes.begin(), prefixes.end(),
                                             [&](const Prefix& p) { return p.contains(one); });
        inside += is_expected ? 1 : 0;
        if (set.contains(one) != is_expected) FAIL_CHECK(to_string(one));
    }
    CHECK(inside > 100);
    CHECK(inside < 4'900);
}

}  // namespace
}  // namespace latmon
