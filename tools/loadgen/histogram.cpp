// SPDX-License-Identifier: Apache-2.0
//
// See histogram.hpp. A value keeps its 7 leading bits: bucket = shift * 64 + (value >> shift),
// which is continuous, and the value itself below 128.
#include "loadgen/histogram.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace latmon::loadgen {
namespace {

constexpr std::uint32_t octave_bits = 6;
constexpr std::uint32_t octave_buckets = 1U << octave_bits;
constexpr std::uint32_t value_bits = 63;  // Of a Duration that is not negative.
constexpr std::uint32_t bucket_count =
    (value_bits - octave_bits - 1) * octave_buckets + 2 * octave_buckets;

std::size_t bucket_of(Duration value) noexcept {
    const std::uint64_t ns = static_cast<std::uint64_t>(value.ns);
    const std::uint32_t bits = static_cast<std::uint32_t>(std::bit_width(ns));
    const std::uint32_t shift = bits > octave_bits + 1 ? bits - octave_bits - 1 : 0;
    return std::size_t{shift} * octave_buckets + (ns >> shift);
}

// The middle of a bucket: at most half a width, 1/128 of the value, from anything in it.
Duration middle_of(std::size_t bucket) noexcept {
    if (bucket < std::size_t{2} * octave_buckets) {
        return Duration{static_cast<std::int64_t>(bucket)};
    }
    const std::size_t shift = bucket / octave_buckets - 1;
    const std::uint64_t leading = bucket - shift * octave_buckets;
    const std::uint64_t half = std::uint64_t{1} << (shift - 1);
    return Duration{static_cast<std::int64_t>((leading << shift) + half)};
}

}  // namespace

Histogram::Histogram() : buckets_(bucket_count) {}

void Histogram::record(Duration value) noexcept {
    LATMON_ASSERT(value >= Duration{});
    ++buckets_[bucket_of(value)];
    min_ = count_ == 0 ? value : std::min(min_, value);
    max_ = std::max(max_, value);
    ++count_;
}

void Histogram::merge(const Histogram& other) noexcept {
    if (other.count_ == 0) return;
    for (std::size_t index = 0; index < buckets_.size(); ++index) {
        buckets_[index] += other.buckets_[index];
    }
    min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
    count_ += other.count_;
}

std::optional<Duration> Histogram::min() const noexcept {
    return count_ == 0 ? std::nullopt : std::optional<Duration>(min_);
}

std::optional<Duration> Histogram::max() const noexcept {
    return count_ == 0 ? std::nullopt : std::optional<Duration>(max_);
}

std::optional<Duration> Histogram::percentile(double percent) const noexcept {
    LATMON_ASSERT(percent > 0 && percent <= 100);
    if (count_ == 0) return std::nullopt;
    const double share = percent / 100 * static_cast<double>(count_);
    // The small amount keeps 99.9 % of 1,000 at rank 999, which binary fractions put above it.
    const std::uint64_t rank =
        std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(share - 1e-6)), 1, count_);
    std::uint64_t seen = 0;
    for (std::size_t index = 0; index < buckets_.size(); ++index) {
        seen += buckets_[index];
        if (seen >= rank) return std::clamp(middle_of(index), min_, max_);
    }
    return max_;
}

}  // namespace latmon::loadgen
