// SPDX-License-Identifier: Apache-2.0
//
// Claims about guessing what was meant.
#include "config/suggest.hpp"

#include <doctest/doctest.h>
#include <array>
#include <string>

namespace latmon {
namespace {

constexpr auto words = std::to_array<std::string_view>({"host", "port", "interval", "udp_port"});

TEST_CASE("suggest: distance counts changes, gaps, additions and swapped neighbours") {
    CHECK(edit_distance("interval", "interval") == 0);
    CHECK(edit_distance("interval", "intervall") == 1);
    CHECK(edit_distance("interval", "inteval") == 1);
    CHECK(edit_distance("interval", "imterval") == 1);
    CHECK(edit_distance("interval", "intreval") == 1);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("suggest: case and dashes do not count") {
    CHECK(edit_distance("UDP-Port", "udp_port") == 0);
    CHECK(closest_word("UDP-Port", words) == "udp_port");
}

TEST_CASE("suggest: a short word may be one letter off, a longer one two") {
    CHECK(closest_word("hots", words) == "host");
    CHECK(closest_word("hxxt", words) == std::nullopt);
    CHECK(closest_word("intrvall", words) == "interval");
    CHECK(closest_word("inrvll", words) == std::nullopt);
}

TEST_CASE("suggest: nothing is meant by nothing, nor by a very long word") {
    CHECK(closest_word("", words) == std::nullopt);
    CHECK(closest_word(std::string(100'000, 'a'), words) == std::nullopt);
}

}  // namespace
}  // namespace latmon
