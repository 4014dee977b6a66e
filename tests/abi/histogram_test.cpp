// SPDX-License-Identifier: Apache-2.0
//
// Percentiles against sorted values: within 1 % wherever the value lies, on both sides of zero. The
// random values are the same in every run.
#include "support/histogram.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace latmon::plugins {
namespace {

void check_against_sorted(std::vector<std::int64_t> values) {
    Histogram histogram;
    for (const std::int64_t value : values) {
        histogram.record(value);
    }
    std::ranges::sort(values);
    REQUIRE(histogram.count() == values.size());
    CHECK(histogram.max_ns() == values.back());
    for (const double share : {0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        const double rank = std::ceil(share * static_cast<double>(values.size()));
        const std::int64_t exact = values[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
        const double error = std::abs(static_cast<double>(histogram.percentile_ns(share) - exact));
        CHECK(error <= 0.01 * std::abs(static_cast<double>(exact)));
    }
}

TEST_CASE("histogram: one value is every percentile, within 1 %") {
    for (std::int64_t value = 1; value < INT64_MAX / 3; value *= 3) {
        check_against_sorted({value});
        check_against_sorted({-value});
    }
}

TEST_CASE("histogram: percentiles of values over nine decades are within 1 %") {
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> exponent(0, 9);
    std::vector<std::int64_t> values;
    for (int count = 0; count < 5'000; ++count) {
        values.push_back(static_cast<std::int64_t>(std::pow(10.0, exponent(random))));
    }
    check_against_sorted(values);
}

TEST_CASE("histogram: percentiles across zero are within 1 %") {
    std::mt19937_64 random(7);
    std::normal_distribution<double> around(0, 20'000);
    std::vector<std::int64_t> values;
    for (int count = 0; count < 5'000; ++count) {
        values.push_back(static_cast<std::int64_t>(around(random)));
    }
    check_against_sorted(values);
}

TEST_CASE("histogram: no percentile is above the maximum") {
    Histogram histogram;
    histogram.record(1'000'001);
    CHECK(histogram.percentile_ns(1.0) <= 1'000'001);
}

TEST_CASE("histogram: small values are exact") {
    Histogram histogram;
    for (std::int64_t value = -100; value <= 100; ++value) {
        histogram.record(value);
    }
    CHECK(histogram.percentile_ns(0.5) == 0);
    CHECK(histogram.percentile_ns(1.0) == 100);
}

TEST_CASE("histogram: the ends of int64 are taken") {
    Histogram histogram;
    histogram.record(std::numeric_limits<std::int64_t>::min());
    histogram.record(std::numeric_limits<std::int64_t>::max());
    CHECK(histogram.percentile_ns(0.5) < -9'000'000'000'000'000'000);
    CHECK(histogram.percentile_ns(1.0) > 9'000'000'000'000'000'000);
    CHECK(histogram.max_ns() == std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace latmon::plugins
