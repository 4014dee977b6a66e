// SPDX-License-Identifier: Apache-2.0
//
// Claims about the bucket of a value, against long double, which has eleven bits more.
#include "stats/bucket_index.hpp"

#include <doctest/doctest.h>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace latmon {
namespace {

constexpr std::int64_t exact_below_ns = 86'400'000'000'000;  // A day.

// Upper bound of a bucket, in nanoseconds.
long double bound_ns(std::int32_t index, int schema = histogram_schema) {
    return std::exp2(static_cast<long double>(index) / std::exp2(schema * 1.0L)) * 1e9L;
}

// The first bucket whose bound is not below the value, found by going there.
std::int32_t slow_index(std::int64_t value_ns, int schema = histogram_schema) {
    const auto value = static_cast<long double>(value_ns);
    auto index =
        static_cast<std::int32_t>(std::floor(std::log2(value / 1e9L) * std::exp2(schema * 1.0L)));
    --index;
    while (bound_ns(index, schema) < value)
        ++index;
    return index;
}

TEST_CASE("bucket_index: whole octaves of a second are bounds, and belong to the bucket below") {
    constexpr std::int64_t second = 1'000'000'000;
    for (int octave = -9; octave <= 33; ++octave) {
        const auto value_ns = static_cast<std::int64_t>(std::ldexp(1e9, octave));
        CAPTURE(octave);
        CHECK(bucket_index(value_ns) == octave * 128);
        CHECK(bucket_index(value_ns - 1) <= octave * 128);
        if (octave < 20) CHECK(bucket_index(value_ns + 1) == octave * 128 + 1);
    }
    CHECK(bucket_index(second) == 0);
}

TEST_CASE("bucket_index: both sides of every bound are where they belong") {
    for (std::int32_t index = bucket_index_min; index < bucket_index_max; ++index) {
        const auto below = static_cast<std::int64_t>(bound_ns(index));
        if (below >= exact_below_ns) break;
        CAPTURE(index);
        CAPTURE(below);
        if (below > 0) REQUIRE(bucket_index(below) == slow_index(below));
        REQUIRE(bucket_index(below + 1) == slow_index(below + 1));
    }
}

TEST_CASE("bucket_index: any value is where it belongs") {
    std::mt19937_64 random(7);
    for (int turn = 0; turn < 50'000; ++turn) {
        const auto value_ns = static_cast<std::int64_t>((random() >> 18U) >> (random() % 46));
        if (value_ns == 0) continue;
        CAPTURE(value_ns);
        REQUIRE(bucket_index(value_ns) == slow_index(value_ns));
    }
}

TEST_CASE("bucket_index: the ends of 64 bits have a bucket") {
    CHECK(bucket_index(1) == bucket_index_min);
    CHECK(bucket_index(std::numeric_limits<std::int64_t>::max()) == bucket_index_max);
    CHECK(bucket_value_ns(bucket_index_min) == 1);
    CHECK(bucket_value_ns(bucket_index_max + 1) == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("bucket_index: a lower schema's bucket is what recording at that schema would choose") {
    std::mt19937_64 random(8);
    for (int turn = 0; turn < 5'000; ++turn) {
        const auto value_ns = static_cast<std::int64_t>(1 + (random() >> 16U) % 10'000'000'000);
        for (int schema = histogram_schema_min; schema <= histogram_schema; ++schema) {
            CAPTURE(value_ns);
            CAPTURE(schema);
            REQUIRE(index_at_schema(bucket_index(value_ns), schema) ==
                    slow_index(value_ns, schema));
        }
    }
    CHECK(index_at_schema(-128, 0) == -1);
    CHECK(index_at_schema(-127, 0) == 0);
    CHECK(index_at_schema(1, 0) == 1);
}

TEST_CASE("bucket_index: what a bucket is taken for is 0.271 % from its ends, and half a ns") {
    const long double base = std::exp2(1.0L / 128);
    const long double most = (base - 1) / (base + 1) + 1e-12L;
    for (std::int32_t index = bucket_index_min; index < 4'000; ++index) {
        const auto value = static_cast<long double>(bucket_value_ns(index));
        CAPTURE(index);
        const long double upper = bound_ns(index);
        const long double lower = bound_ns(index - 1);
        REQUIRE(upper - value <= upper * most + 0.5L);
        REQUIRE(value - lower <= lower * most + 0.5L);
    }
}

TEST_CASE("bucket_index: the bounds are the doubles nearest to 2^(j/128)") {
    for (std::size_t index = 0; index < 128; ++index) {
        const auto exact = std::exp2(static_cast<long double>(index) / 128);
        const long double found =
            1 + std::ldexp(static_cast<long double>(bucket_detail::tables.bounds[index]), -52);
        CAPTURE(index);
        CHECK(std::abs(found - exact) <= std::ldexp(1.0L, -53) + std::ldexp(1.0L, -62));
    }
}

}  // namespace
}  // namespace latmon
