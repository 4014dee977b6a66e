// SPDX-License-Identifier: Apache-2.0
//
// Which bucket of a base-2 exponential histogram of schema 7 a value falls into. Bucket i counts
// values v with base^(i-1) < v <= base^i seconds, base = 2^(1/128): Prometheus' native histograms;
// OpenTelemetry's exponential ones call it i - 1. Values come in nanoseconds and are put into
// seconds first, because 10^9 is no power of the base: buckets of nanoseconds would not be theirs.
//
// The bits of a double nearly are that index: its exponent, and by the leading eight bits of its
// mantissa one of 256 cells, none of which holds more than one of the 128 bounds within an octave.
// Pure.
#pragma once

#include <latmon/window.h>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace latmon {

inline constexpr int histogram_schema = LATMON_HISTOGRAM_SCHEMA;
// Prometheus takes no others (model/histogram).
inline constexpr int histogram_schema_min = -4;

namespace bucket_detail {

inline constexpr std::size_t bounds_per_octave = std::size_t{1} << histogram_schema;
inline constexpr unsigned mantissa_bits = 52;
inline constexpr unsigned cell_bits = 8;
inline constexpr std::int64_t exponent_bias = 1'023;

struct Tables {
    // Mantissa of 2^(j/128), the nearest double; behind them one above all mantissas.
    std::array<std::uint64_t, bounds_per_octave + 1> bounds;
    // How many bounds lie below the whole cell.
    std::array<std::uint8_t, std::size_t{1} << cell_bits> below;
};
extern const Tables tables;

}  // namespace bucket_detail

// The bucket of a positive value. Exact for every value up to a day; beyond, the double of its
// seconds decides, as it does in Prometheus' own libraries. About 2 ns. [any-thread]
[[nodiscard]] inline std::int32_t bucket_index(std::int64_t value_ns) noexcept {
    using namespace bucket_detail;
    const double value_s = static_cast<double>(value_ns) / 1e9;
    const std::uint64_t bits = std::bit_cast<std::uint64_t>(value_s);
    const std::uint64_t mantissa = bits & ((std::uint64_t{1} << mantissa_bits) - 1);
    const std::int64_t octave = static_cast<std::int64_t>(bits >> mantissa_bits) - exponent_bias;
    const std::size_t below = tables.below[mantissa >> (mantissa_bits - cell_bits)];
    const std::int64_t above = mantissa > tables.bounds[below] ? 1 : 0;
    return static_cast<std::int32_t>(octave * static_cast<std::int64_t>(bounds_per_octave) +
                                     static_cast<std::int64_t>(below) + above);
}

// The buckets that nanoseconds in 64 bits can fall into: 1 ns to 292 years.
inline constexpr std::int32_t bucket_index_min = -3'826;
inline constexpr std::int32_t bucket_index_max = 4'238;

// The bucket of a lower schema that bucket `index` of schema 7 is part of; exactly, because its
// bounds are bounds of schema 7. `schema` in [-4, 7]. [any-thread]
[[nodiscard]] constexpr std::int32_t index_at_schema(std::int32_t index, int schema) noexcept {
    const int halvings = histogram_schema - schema;
    return (index + (std::int32_t{1} << halvings) - 1) >> halvings;
}

// What a value in the bucket is taken for: 2 base^i / (base + 1) seconds, the one that is at most
// (base - 1) / (base + 1) = 0.271 % away from any in it (the DDSketch paper, Masson, Rim and Lee
// 2019, section 2.2), to the nearest nanosecond. [any-thread]
[[nodiscard]] std::int64_t bucket_value_ns(std::int32_t index) noexcept;

}  // namespace latmon
