// SPDX-License-Identifier: Apache-2.0
//
// Claims about percentiles, against exact sorting, and about merging, bit for bit. How many values
// each distribution gets: LATMON_STATS_VALUES, 200,000 by default.
#include "stats/histogram.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace latmon {
namespace {

using Random = std::mt19937_64;
using Draw = std::function<double(Random&)>;  // Seconds.

std::size_t value_count() {
    // One thread, which nobody else's setenv() can meet.
    const char* const wanted = std::getenv("LATMON_STATS_VALUES");  // NOLINT(concurrency-mt-unsafe)
    return wanted == nullptr ? 200'000 : std::stoull(wanted);
}

double log_normal(Random& random) {
    return std::lognormal_distribution<double>(std::log(268e-6), 0.8)(random);
}
double bimodal(Random& random) {
    const double middle = random() % 5 == 0 ? 9e-3 : 120e-6;
    return middle * std::normal_distribution<double>(1, 0.02)(random);
}
// Pareto, alpha 1.1: a few values are seconds.
double heavy_tail(Random& random) {
    const double uniform = std::uniform_real_distribution<double>(1e-12, 1)(random);
    return 50e-6 * std::pow(uniform, -1 / 1.1);
}

std::vector<std::int64_t> draw_values(const Draw& draw, std::uint64_t seed) {
    Random random(seed);
    std::vector<std::int64_t> values(value_count());
    for (std::int64_t& value : values)
        value = std::llround(std::clamp(draw(random), 1e-9, 1e4) * 1e9);
    return values;
}

std::vector<double> ratios() {
    std::vector<double> all{0, 0.0001, 0.9995, 0.9999, 0.99999, 0.999999, 1};
    for (int per_mille = 1; per_mille < 1'000; per_mille += 3)
        all.push_back(per_mille / 1'000.0);
    return all;
}

// By exact integers: `ratio` as millionths.
std::size_t exact_rank(double ratio, std::size_t count) {
    const auto millionths = static_cast<std::uint64_t>(std::llround(ratio * 1e6));
    return std::max<std::size_t>((millionths * count + 999'999) / 1'000'000, 1);
}

// `lost` more are longer than any.
void check_percentiles(std::vector<std::int64_t> values, std::size_t lost) {
    Histogram histogram;
    for (const std::int64_t value : values)
        histogram.record(value);
    std::ranges::sort(values);
    double worst = 0;
    for (const double ratio : ratios()) {
        const std::size_t rank = exact_rank(ratio, values.size() + lost);
        const std::optional<std::int64_t> found = histogram.quantile(ratio, lost);
        CAPTURE(ratio);
        REQUIRE(found.has_value() == (rank <= values.size()));
        if (!found) continue;
        const auto exact = static_cast<double>(values[rank - 1]);
        const double error = std::abs(static_cast<double>(*found) - exact) / exact;
        CHECK(error <= 0.003);
        worst = std::max(worst, error);
    }
    CHECK(histogram.quantile(0, lost) == values.front());
    if (lost == 0) CHECK(histogram.quantile(1, 0) == values.back());
    MESSAGE("largest relative error: " << worst * 100 << " %");
}

TEST_CASE("histogram: percentiles of log-normal values are right within 0.3 %") {
    check_percentiles(draw_values(log_normal, 1), 0);
}

TEST_CASE("histogram: percentiles of bimodal values are right within 0.3 %") {
    check_percentiles(draw_values(bimodal, 2), 0);
}

TEST_CASE("histogram: percentiles of a heavy tail are right within 0.3 %") {
    check_percentiles(draw_values(heavy_tail, 3), 0);
}

TEST_CASE("histogram: percentiles of one constant are that constant") {
    std::vector<std::int64_t> values(value_count(), 123'457);
    Histogram histogram;
    for (const std::int64_t value : values)
        histogram.record(value);
    for (const double ratio : ratios())
        CHECK(histogram.quantile(ratio, 0) == 123'457);
}

TEST_CASE("histogram: with 2 % lost, percentiles are right within 0.3 % until they are lost") {
    std::vector<std::int64_t> values = draw_values(log_normal, 4);
    const std::size_t lost = values.size() / 50;
    values.resize(values.size() - lost);
    check_percentiles(std::move(values), lost);
}

using Buckets = std::map<std::int32_t, std::uint64_t>;

Buckets buckets_of(const BucketCounts& counts) {
    Buckets buckets;
    counts.each([&](std::int32_t index, std::uint64_t count) { buckets[index] = count; });
    return buckets;
}

bool is_same(const Histogram& a, const Histogram& b) {
    const Histogram::Totals& of_a = a.totals();
    const Histogram::Totals& of_b = b.totals();
    return of_a.count == of_b.count && of_a.zero_count == of_b.zero_count &&
           of_a.sum_ns == of_b.sum_ns && of_a.min_ns == of_b.min_ns && of_a.max_ns == of_b.max_ns &&
           buckets_of(a.positive()) == buckets_of(b.positive()) &&
           buckets_of(a.negative()) == buckets_of(b.negative());
}

TEST_CASE("histogram: 64 parts merged in any order are the whole, bit for bit") {
    Random random(5);
    for (const Draw& draw : {Draw(log_normal), Draw(bimodal), Draw(heavy_tail)}) {
        Histogram whole;
        std::vector<Histogram> parts(64);
        for (const std::int64_t value : draw_values(draw, 6)) {
            const std::int64_t shifted = value - (random() % 10 == 0 ? value : 300'000);
            whole.record(shifted);
            parts[random() % parts.size()].record(shifted);
        }
        std::ranges::shuffle(parts, random);
        // Pairwise, then pairs of pairs, so that the grouping is another one too.
        for (std::size_t step = 1; step < parts.size(); step *= 2)
            for (std::size_t index = 0; index + step < parts.size(); index += 2 * step)
                parts[index].merge(parts[index + step]);
        CHECK(is_same(parts[0], whole));
        CHECK(whole.totals().zero_count > 0);
        CHECK(whole.totals().min_ns < 0);
        const std::optional<std::int64_t> median = whole.quantile(0.5, 0);
        CHECK(parts[0].quantile(0.5, 0) == median);
    }
}

TEST_CASE("histogram: negative values and zeros keep their order") {
    std::vector<std::int64_t> values;
    Random random(9);
    Histogram histogram;
    for (int turn = 0; turn < 5'000; ++turn) {
        const auto value = static_cast<std::int64_t>(random() % 2'000'000) - 1'000'000;
        values.push_back(random() % 8 == 0 ? 0 : value);
        histogram.record(values.back());
    }
    std::ranges::sort(values);
    for (const double ratio : ratios()) {
        const std::int64_t exact = values[exact_rank(ratio, values.size()) - 1];
        const std::int64_t found = *histogram.quantile(ratio, 0);
        CAPTURE(ratio);
        const auto error = static_cast<double>(std::abs(found - exact));
        CHECK(error <= static_cast<double>(std::abs(exact)) * 0.003 + 0.5);
    }
}

TEST_CASE("histogram: sums are exact where 64 bits are not enough") {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    Histogram histogram;
    for (int turn = 0; turn < 3; ++turn)
        histogram.record(most);
    CHECK(histogram.totals().sum_ns == Wide{most} * 3);
    CHECK(narrow(histogram.totals().sum_ns) == most);
    histogram.record(std::numeric_limits<std::int64_t>::min());
    histogram.record(std::numeric_limits<std::int64_t>::min());
    CHECK(narrow(histogram.totals().sum_ns) == most - 2);
    CHECK(narrow(Wide{most} * -3) == std::numeric_limits<std::int64_t>::min());
    CHECK(histogram.quantile(0, 0) == std::numeric_limits<std::int64_t>::min());
    CHECK(histogram.quantile(1, 0) == most);
}

TEST_CASE("histogram: where there is nothing to tell nothing is told") {
    Histogram histogram;
    CHECK_FALSE(histogram.quantile(0.5, 0).has_value());
    CHECK_FALSE(histogram.quantile(0.5, 7).has_value());
    histogram.record(5);
    CHECK(histogram.quantile(0.5, 1) == 5);
    CHECK_FALSE(histogram.quantile(0.51, 1).has_value());
    CHECK_FALSE(histogram.quantile(std::numeric_limits<double>::quiet_NaN(), 0).has_value());
    CHECK_FALSE(histogram.quantile(1, std::numeric_limits<std::uint64_t>::max()).has_value());
    CHECK(histogram.quantile(-3, 0) == 5);
    CHECK(histogram.quantile(3, 0) == 5);
    histogram.clear();
    CHECK_FALSE(histogram.quantile(0, 0).has_value());
}

}  // namespace
}  // namespace latmon
