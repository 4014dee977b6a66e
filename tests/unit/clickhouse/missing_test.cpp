// SPDX-License-Identifier: Apache-2.0
//
// What may be an answer about the rows that are missing, and what is none.
#include "clickhouse/missing.hpp"

#include <doctest/doctest.h>
#include <string>

namespace latmon::plugins::clickhouse {
namespace {

TEST_CASE("missing: the answer is a count and two lists") {
    const std::optional<Missing> some = parse_missing("2000\t[0,300]\t[149,300]\n");
    REQUIRE(some.has_value());
    CHECK(some->rows == 2'000);
    CHECK(some->ranges ==
          std::vector<RowRange>{{.first = 0, .last = 149}, {.first = 300, .last = 300}});
    CHECK_FALSE(some->is_cut);
    const std::optional<Missing> none = parse_missing("7\t[]\t[]\n");
    REQUIRE(none.has_value());
    CHECK(none->ranges.empty());
}

TEST_CASE("missing: an answer that names as many ranges as were asked for may go on") {
    std::string first = "[0";
    std::string last = "[0";
    for (int number = 1; number < 3'000; ++number) {
        first += "," + std::to_string(2 * number);
        last += "," + std::to_string(2 * number);
    }
    const std::optional<Missing> cut = parse_missing("9000\t" + first + "]\t" + last + "]\n");
    REQUIRE(cut.has_value());
    CHECK(cut->is_cut);
}

TEST_CASE("missing: what is no answer is none") {
    for (const char* const text :
         {"", "1", "1\t[]\t[]", "1\t[]\t[]\n\n", "1\t[0]\t[]\n", "1\t[]\t[0]\n", "1\t[1]\t[1]\n",
          "9\t[3]\t[2]\n", "9\t[3,3]\t[3,3]\n", "9\t[0,2]\t[2,3]\n", "-1\t[]\t[]\n",
          "9\t[-1]\t[0]\n", "9\t[0,]\t[0]\n", "9\t[,0]\t[0]\n", "9\t[0\t[0]\n", "9 [] []\n",
          "99999999999999999999\t[]\t[]\n", "9\t[0]\t[9]\n",
          "Code: 60. DB::Exception: no table\n"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_missing(text).has_value());
    }
}

}  // namespace
}  // namespace latmon::plugins::clickhouse
