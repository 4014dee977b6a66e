// SPDX-License-Identifier: Apache-2.0
//
// Sums that stay exact.
#include "prometheus/time_sum.hpp"

#include <doctest/doctest.h>
#include <limits>

namespace latmon::plugins::prometheus {
namespace {

std::string text_of(std::initializer_list<std::int64_t> values) {
    TimeSum sum;
    for (const std::int64_t value : values) {
        sum.add(value);
    }
    std::string text;
    sum.append_to(text);
    return text;
}

TEST_CASE("time sum: nanoseconds become seconds, to the last digit") {
    CHECK(text_of({}) == "0");
    CHECK(text_of({1}) == "0.000000001");
    CHECK(text_of({999'999'999, 1}) == "1");
    CHECK(text_of({1'500'000'000, 20}) == "1.50000002");
}

TEST_CASE("time sum: it may fall, and be below zero") {
    CHECK(text_of({-1}) == "-0.000000001");
    CHECK(text_of({-1'000'000'000}) == "-1");
    CHECK(text_of({-1'500'000'000}) == "-1.5");
    CHECK(text_of({-1'500'000'000, 1'500'000'001}) == "0.000000001");
}

TEST_CASE("time sum: more than 292 years are no end") {
    const std::int64_t most = std::numeric_limits<std::int64_t>::max();
    CHECK(text_of({most, most, 2}) == "18446744073.709551616");
    TimeSum sum;
    sum.add(most);
    sum.add(most);
    CHECK(sum.seconds() == doctest::Approx(1.8446744073709552e10));
}

}  // namespace
}  // namespace latmon::plugins::prometheus
