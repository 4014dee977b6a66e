// SPDX-License-Identifier: Apache-2.0
//
// Claims about what plugins may ask of a window.
#include "stats/window_tools.hpp"

#include "stats/rank.hpp"
#include "stats/series_window.hpp"
#include "unit/stats/samples.hpp"

#include <doctest/doctest.h>
#include <limits>
#include <map>
#include <random>

namespace latmon {
namespace {

using namespace testing;

// One-way delays of both signs and a few of 0, with round trips beside them.
OwnedWindow mixed_window() {
    std::mt19937_64 random(1);
    SeriesWindow window;
    SeriesState state;
    window.open(WallTime{origin_ns}, Duration::from_s(1), LATMON_KIND_EXCHANGE, std::nullopt);
    for (std::uint32_t sequence = 0; sequence < 1'000; ++sequence) {
        const auto forward_ns = static_cast<std::int64_t>(random() % 600'000) - 300'000;
        const Sample sample = answer(sequence, sequence % 50 == 0 ? 0 : forward_ns, 400'000,
                                     origin_ns + sequence * ms);
        window.take(sample, state.take(sample, false), false);
    }
    return window.finish();
}

TEST_CASE("window_tools: a rank is the nearest, also where the ratio is no double") {
    for (std::uint64_t count : {1ULL, 10ULL, 100ULL, 1'000ULL, 123'456'700ULL})
        for (std::uint64_t hundredth = 1; hundredth <= 100; ++hundredth) {
            const double ratio = static_cast<double>(hundredth) / 100;
            CAPTURE(count);
            CAPTURE(hundredth);
            CHECK(nearest_rank(ratio, count) == (count * hundredth + 99) / 100);
        }
    CHECK(nearest_rank(0, 5) == 1);
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    CHECK(nearest_rank(1, most) == most);
    CHECK(rank_below(0.5, 3, most) == 0);
}

TEST_CASE("window_tools: a quantile of a window is that of its histogram") {
    const OwnedWindow owned = mixed_window();
    const latmon_window_t& window = owned.window;
    const latmon_window_tools_t& tools = window_tools();
    Histogram histogram;
    std::mt19937_64 random(1);
    for (std::uint32_t sequence = 0; sequence < 1'000; ++sequence) {
        const auto forward_ns = static_cast<std::int64_t>(random() % 600'000) - 300'000;
        histogram.record(sequence % 50 == 0 ? 0 : forward_ns);
    }
    for (const std::uint64_t above : {0U, 20U, 2'000U})
        for (int percent = 0; percent <= 100; ++percent) {
            std::int64_t value_ns = -1;
            const double ratio = percent / 100.0;
            const bool is_there = tools.quantile(&window, &window.owd_fwd, ratio, above, &value_ns);
            const std::optional<std::int64_t> expected = histogram.quantile(ratio, above);
            CAPTURE(percent);
            REQUIRE(is_there == expected.has_value());
            CHECK(value_ns == expected.value_or(-1));
        }
}

TEST_CASE("window_tools: a window that contradicts itself has no quantiles") {
    OwnedWindow owned = mixed_window();
    const latmon_distribution_t good = owned.window.owd_fwd;
    const auto is_there = [&](const latmon_distribution_t& distribution) {
        std::int64_t value_ns = 0;
        return window_quantile(owned.window, distribution, 0.3, 0, &value_ns);
    };
    CHECK(is_there(good));
    latmon_distribution_t bad = good;
    bad.positive_count = owned.window.bucket_count - bad.positive_first + 1;
    CHECK_FALSE(is_there(bad));
    bad = good;
    bad.negative_first = std::numeric_limits<std::uint32_t>::max();
    CHECK_FALSE(is_there(bad));
    bad = good;
    std::swap(bad.min_ns, bad.max_ns);
    CHECK_FALSE(is_there(bad));
    // More values than buckets tell of: what is told beyond them is the largest.
    bad = good;
    bad.count *= 1'000;
    std::int64_t value_ns = 0;
    CHECK(window_quantile(owned.window, bad, 0.9, 0, &value_ns));
    CHECK(value_ns == good.max_ns);
    bad.count = 0;
    CHECK_FALSE(is_there(bad));
}

TEST_CASE("window_tools: buckets at a lower schema are those that recording there would make") {
    const OwnedWindow owned = mixed_window();
    const latmon_distribution_t& of = owned.window.owd_fwd;
    const std::span<const latmon_bucket_t> positive =
        std::span(owned.buckets).subspan(of.positive_first, of.positive_count);
    std::mt19937_64 random(1);
    std::map<int, std::map<std::int32_t, std::uint32_t>> recorded;
    for (std::uint32_t sequence = 0; sequence < 1'000; ++sequence) {
        const auto value_ns = static_cast<std::int64_t>(random() % 600'000) - 300'000;
        if (sequence % 50 == 0 || value_ns <= 0) continue;
        for (int schema = histogram_schema_min; schema <= histogram_schema; ++schema) {
            const double exact = std::log2(static_cast<double>(value_ns) / 1e9);
            const auto index = static_cast<std::int32_t>(std::ceil(exact * std::exp2(schema)));
            ++recorded[schema][index];
        }
    }
    for (int schema = histogram_schema_min; schema <= histogram_schema; ++schema) {
        std::map<std::int32_t, std::uint32_t> found;
        for (const latmon_bucket_t& bucket : at_schema(positive, schema))
            CHECK(found.emplace(bucket.index, bucket.count).second);
        CAPTURE(schema);
        CHECK(found == recorded[schema]);
    }
}

}  // namespace
}  // namespace latmon
