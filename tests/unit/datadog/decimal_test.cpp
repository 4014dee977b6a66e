// SPDX-License-Identifier: Apache-2.0
//
// Nanoseconds as seconds and milliseconds, exactly, to the ends of the range.
#include "support/decimal.hpp"

#include <doctest/doctest.h>
#include <limits>

namespace latmon::plugins {
namespace {

std::string decimal(std::int64_t value, unsigned digits) {
    std::string out;
    append_decimal(out, value, digits);
    return out;
}

TEST_CASE("decimal: a fraction is exact, and has no zeros at its end") {
    CHECK(decimal(1'500'000, 9) == "0.0015");
    CHECK(decimal(1, 9) == "0.000000001");
    CHECK(decimal(282'072, 6) == "0.282072");
    CHECK(decimal(-300, 9) == "-0.0000003");
}

TEST_CASE("decimal: a whole number has no point") {
    CHECK(decimal(0, 9) == "0");
    CHECK(decimal(2'000'000, 6) == "2");
    CHECK(decimal(10'000'000'000, 9) == "10");
}

TEST_CASE("decimal: the ends of the range are exact too") {
    CHECK(decimal(std::numeric_limits<std::int64_t>::max(), 9) == "9223372036.854775807");
    CHECK(decimal(std::numeric_limits<std::int64_t>::min(), 9) == "-9223372036.854775808");
}

}  // namespace
}  // namespace latmon::plugins
