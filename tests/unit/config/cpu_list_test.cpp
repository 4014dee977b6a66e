// SPDX-License-Identifier: Apache-2.0
//
// Claims about lists of CPU numbers.
#include "config/cpu_list.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

using Cpus = std::vector<std::uint32_t>;

TEST_CASE("cpu_list: numbers and ranges keep their order") {
    CHECK(parse_cpu_list("0-3") == Cpus{0, 1, 2, 3});
    CHECK(parse_cpu_list("2,0") == Cpus{2, 0});
    CHECK(parse_cpu_list(" 0 - 1 , 6") == Cpus{0, 1, 6});
}

TEST_CASE("cpu_list: what is no list, or names a CPU twice, is refused") {
    for (const char* text : {"", ",", "1,", "a", "1-", "-1", "3-1", "1,1", "0-2,1", "1 2", "0x1",
                             "4096", "0-4096", "0-256", "99999999999"}) {
        CAPTURE(text);
        CHECK(parse_cpu_list(text) == std::nullopt);
    }
}

TEST_CASE("cpu_list: the shortest form reads back as the same list") {
    CHECK(format_cpu_list(Cpus{}) == "");
    CHECK(format_cpu_list(Cpus{5}) == "5");
    CHECK(format_cpu_list(Cpus{0, 1, 2, 6, 8, 9}) == "0-2,6,8-9");
    CHECK(parse_cpu_list(format_cpu_list(Cpus{3, 2, 1, 7})) == Cpus{3, 2, 1, 7});
}

}  // namespace
}  // namespace latmon
