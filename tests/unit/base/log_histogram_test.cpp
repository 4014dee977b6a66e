// SPDX-License-Identifier: Apache-2.0
//
// Claims about the histogram that a core-thread keeps of itself.
#include "base/log_histogram.hpp"

#include <doctest/doctest.h>
#include <cmath>
#include <cstdint>

namespace latmon {
namespace {

TEST_CASE("log_histogram: nothing recorded has no percentile and no maximum") {
    LogHistogram histogram;
    CHECK_FALSE(histogram.percentile_ns(500).has_value());
    CHECK_FALSE(histogram.max_ns().has_value());
    histogram.record(7);
    histogram.clear();
    CHECK(histogram.count() == 0);
    CHECK_FALSE(histogram.percentile_ns(500).has_value());
    CHECK_FALSE(histogram.max_ns().has_value());
}

TEST_CASE("log_histogram: a percentile is right within 1/32 at every size of value") {
    for (std::int64_t value = 1; value < (std::int64_t{1} << 39); value += 1 + value / 7) {
        LogHistogram histogram;
        histogram.record(value);
        histogram.record(std::int64_t{1} << 39);  // Or the maximum would correct it.
        const std::int64_t found = *histogram.percentile_ns(500);
        CAPTURE(value);
        CHECK(std::abs(found - value) * 32 <= value);
    }
}

TEST_CASE("log_histogram: small values are exact, the maximum always") {
    LogHistogram histogram;
    for (std::int64_t value = 0; value < 16; ++value)
        histogram.record(value);
    CHECK(histogram.percentile_ns(0) == 0);
    CHECK(histogram.percentile_ns(500) == 7);
    CHECK(histogram.percentile_ns(1'000) == 15);
    histogram.record(1'234'567);
    CHECK(histogram.max_ns() == 1'234'567);
}

TEST_CASE("log_histogram: a percentile is the nearest rank and never above the maximum") {
    LogHistogram histogram;
    for (int index = 0; index < 99; ++index)
        histogram.record(3);
    histogram.record(1'000'001);
    CHECK(histogram.count() == 100);
    CHECK(histogram.percentile_ns(990) == 3);
    const std::int64_t largest = *histogram.percentile_ns(1'000);
    CHECK(largest <= 1'000'001);
    CHECK(largest > 968'000);
}

TEST_CASE("log_histogram: what is out of range counts at its edge") {
    LogHistogram histogram;
    histogram.record(-5);
    CHECK(histogram.percentile_ns(500) == 0);
    CHECK(histogram.max_ns() == 0);
    histogram.record(INT64_MAX);
    CHECK(histogram.count() == 2);
    CHECK(histogram.max_ns() == (std::int64_t{1} << 40) - 1);
}

}  // namespace
}  // namespace latmon
