// SPDX-License-Identifier: Apache-2.0
//
// Claims about the histogram: its error, its ranks, and what merging keeps.
#include "loadgen/histogram.hpp"

#include <doctest/doctest.h>
#include <cmath>
#include <limits>

namespace latmon::loadgen {
namespace {

TEST_CASE("histogram: a percentile is within 0.8 % of every value, over the whole range") {
    for (std::int64_t value = 1; value < std::numeric_limits<std::int64_t>::max() / 2;
         value += value / 4 + 1) {
        Histogram histogram;
        histogram.record(Duration{0});
        histogram.record(Duration{value});
        histogram.record(Duration{std::numeric_limits<std::int64_t>::max()});
        const double found = static_cast<double>(histogram.percentile(50)->ns);
        const double error = std::abs(found - static_cast<double>(value));
        CHECK(error <= 0.008 * static_cast<double>(value));
    }
}

TEST_CASE("histogram: below 128 ns every value is exact") {
    for (std::int64_t value = 0; value < 128; ++value) {
        Histogram histogram;
        histogram.record(Duration{0});
        histogram.record(Duration{value});
        histogram.record(Duration{1'000});
        CHECK(histogram.percentile(50) == Duration{value});
    }
}

TEST_CASE("histogram: percentiles are nearest ranks, also where binary fractions are not exact") {
    Histogram histogram;
    for (std::int64_t value = 1; value <= 100; ++value) {
        histogram.record(Duration{value});
    }
    CHECK(histogram.percentile(0.5) == Duration{1});
    CHECK(histogram.percentile(50) == Duration{50});
    CHECK(histogram.percentile(99) == Duration{99});
    CHECK(histogram.percentile(99.9) == Duration{100});
    CHECK(histogram.percentile(100) == Duration{100});

    Histogram thousand;
    for (int count = 0; count < 999; ++count) {
        thousand.record(Duration{1});
    }
    thousand.record(Duration{2});
    CHECK(thousand.percentile(99.9) == Duration{1});
}

TEST_CASE("histogram: least and greatest are exact, and bound every percentile") {
    Histogram histogram;
    histogram.record(Duration{1'000'003});
    histogram.record(Duration{1'000'001});
    CHECK(histogram.min() == Duration{1'000'001});
    CHECK(histogram.max() == Duration{1'000'003});
    CHECK(*histogram.percentile(1) >= Duration{1'000'001});
    CHECK(*histogram.percentile(100) <= Duration{1'000'003});
}

TEST_CASE("histogram: nothing recorded is nothing, not zero") {
    const Histogram histogram;
    CHECK_FALSE(histogram.min());
    CHECK_FALSE(histogram.max());
    CHECK_FALSE(histogram.percentile(50));
}

TEST_CASE("histogram: merging is as if all had been recorded by one") {
    Histogram low;
    Histogram high;
    Histogram all;
    for (std::int64_t value = 1; value <= 50; ++value) {
        low.record(Duration{value});
        all.record(Duration{value});
        high.record(Duration{value * 1'000});
        all.record(Duration{value * 1'000});
    }
    low.merge(high);
    low.merge(Histogram{});
    CHECK(low.count() == all.count());
    CHECK(low.min() == all.min());
    CHECK(low.max() == all.max());
    for (const double percent : {10.0, 50.0, 51.0, 99.0}) {
        CHECK(low.percentile(percent) == all.percentile(percent));
    }
    Histogram empty;
    empty.merge(high);
    CHECK(empty.min() == high.min());
}

}  // namespace
}  // namespace latmon::loadgen
