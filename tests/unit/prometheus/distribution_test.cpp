// SPDX-License-Identifier: Apache-2.0
//
// Adding windows up is the same as having had one.
#include "prometheus/distribution.hpp"

#include "support/driver/window_maker.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <random>

namespace latmon::plugins::prometheus {
namespace {

latmon_sample_t sample_of(std::int64_t rtt_ns) {
    latmon_sample_t sample{};
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.status = LATMON_STATUS_OK;
    sample.valid = LATMON_HAS_RTT;
    sample.rtt_ns = rtt_ns;
    return sample;
}

void add(Distribution& sum, const std::vector<std::int64_t>& values, const Shape& shape) {
    driver::WindowMaker maker;
    for (const std::int64_t value : values) {
        maker.take(sample_of(value));
    }
    const latmon_window_t& window = *maker.windows(0, 1'000'000'000).front();
    sum.add(window, window.rtt, shape);
}

std::uint64_t total(const std::vector<Cell>& cells) {
    std::uint64_t sum = 0;
    for (const Cell& cell : cells) {
        sum += cell.count;
    }
    return sum;
}

TEST_CASE("distribution: a lower schema's bucket is where its values are") {
    std::mt19937_64 random(3);
    std::uniform_real_distribution<double> exponent(1.0, 12.0);
    for (int schema = 0; schema <= 7; ++schema) {
        for (int round = 0; round < 500; ++round) {
            const std::int64_t ns = static_cast<std::int64_t>(std::pow(10.0, exponent(random)));
            const std::int32_t index = downscaled(driver::bucket_index(ns), schema);
            const double per_octave = std::exp2(schema);
            const double value = static_cast<double>(ns) / 1e9;
            CHECK(value <= std::exp2(index / per_octave) * (1 + 1e-12));
            CHECK(value > std::exp2((index - 1) / per_octave) * (1 - 1e-12));
        }
    }
    CHECK(downscaled(0, 5) == 0);
    CHECK(downscaled(1, 5) == 1);
    CHECK(downscaled(4, 5) == 1);
    CHECK(downscaled(5, 5) == 2);
    CHECK(downscaled(-3, 5) == 0);
    CHECK(downscaled(-4, 5) == -1);
}

TEST_CASE("distribution: 64 windows are what one over all of them is") {
    const Shape shape{.bounds = Bounds(Bounds::default_ns())};
    std::mt19937_64 random(4);
    std::lognormal_distribution<double> times(-8.0, 1.0);
    Distribution parts;
    std::vector<std::int64_t> all;
    for (int part = 0; part < 64; ++part) {
        std::vector<std::int64_t> values;
        for (int each = 0; each < 50; ++each) {
            values.push_back(static_cast<std::int64_t>(times(random) * 1e9) - 20'000);
        }
        add(parts, values, shape);
        all.insert(all.end(), values.begin(), values.end());
    }
    Distribution whole;
    add(whole, all, shape);
    CHECK(parts.count == all.size());
    CHECK(parts.negative_count > 0);
    CHECK(parts.negative_count == whole.negative_count);
    const auto same = [](const std::vector<Cell>& one, const std::vector<Cell>& other) -> bool {
        return std::ranges::equal(one, other, [](const Cell& a, const Cell& b) {
            return a.index == b.index && a.count == b.count;
        });
    };
    CHECK(same(parts.positive, whole.positive));
    CHECK(same(parts.negative, whole.negative));
    CHECK(total(parts.positive) + total(parts.negative) + parts.zero_count == parts.count);
    std::string one;
    std::string other;
    parts.sum.append_to(one);
    whole.sum.append_to(other);
    CHECK(one == other);
}

TEST_CASE("distribution: classic buckets never claim more than there was") {
    const Shape shape{.bounds = Bounds(Bounds::default_ns())};
    std::mt19937_64 random(5);
    std::lognormal_distribution<double> times(-8.0, 1.5);
    Distribution sum;
    std::vector<std::int64_t> all;
    for (int part = 0; part < 100; ++part) {
        std::vector<std::int64_t> values;
        for (int each = 0; each < 100; ++each) {
            values.push_back(static_cast<std::int64_t>(times(random) * 1e9));
        }
        add(sum, values, shape);
        all.insert(all.end(), values.begin(), values.end());
    }
    std::uint64_t below = 0;
    for (std::size_t place = 0; place < shape.bounds.size(); ++place) {
        below += sum.classic[place];
        const double bound = static_cast<double>(shape.bounds[place].ns);
        const auto at_most = [&](double limit) {
            return static_cast<std::uint64_t>(std::ranges::count_if(
                all, [&](std::int64_t ns) { return static_cast<double>(ns) <= limit; }));
        };
        CHECK(below <= at_most(bound));
        CHECK(below >= at_most(bound / 1.0055));
    }
}

TEST_CASE("distribution: a window of one value counts exactly, and zero and below are in front") {
    const Shape shape{.bounds = Bounds({100, 200})};
    Distribution sum;
    for (const std::int64_t value : {0, -5, 99, 100, 101, 200, 201}) {
        add(sum, {value}, shape);
    }
    CHECK(sum.classic == std::vector<std::uint64_t>{4, 2});
    CHECK(sum.count == 7);
    CHECK(sum.zero_count == 1);
    CHECK(sum.negative_count == 1);
}

TEST_CASE("distribution: what is switched off takes no memory") {
    const Shape shape{.has_native = false, .schema = 5, .bounds = Bounds()};
    Distribution sum;
    add(sum, {1, 2, 3}, shape);
    CHECK(sum.count == 3);
    CHECK(sum.positive.empty());
    CHECK(sum.classic.empty());
}

}  // namespace
}  // namespace latmon::plugins::prometheus
