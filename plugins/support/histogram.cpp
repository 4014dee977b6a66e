// SPDX-License-Identifier: Apache-2.0
//
// Log-linear buckets: the position of the highest bit gives the octave, the six bits after it the
// bucket.
#include "support/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>

namespace latmon::plugins {
namespace {

constexpr unsigned sub_bits = 6;  // 64 buckets an octave.
constexpr std::uint64_t exact_below = 1U << sub_bits;

std::int32_t magnitude_index(std::uint64_t magnitude) noexcept {
    if (magnitude < exact_below) return static_cast<std::int32_t>(magnitude);
    const unsigned shift = static_cast<unsigned>(std::bit_width(magnitude)) - 1 - sub_bits;
    return static_cast<std::int32_t>((shift << sub_bits) + (magnitude >> shift));
}

// The middle of the bucket.
std::uint64_t index_magnitude(std::uint32_t index) noexcept {
    if (index < 2 * exact_below) return index;
    const unsigned shift = (index >> sub_bits) - 1;
    const std::uint64_t low = ((index & (exact_below - 1)) + exact_below) << shift;
    return low + (std::uint64_t{1} << shift) / 2;
}

std::int32_t index_of(std::int64_t value) noexcept {
    if (value >= 0) return magnitude_index(static_cast<std::uint64_t>(value));
    // The least int64 has no positive twin; its neighbour stands for it.
    const std::int64_t twin = -std::max(value, -std::numeric_limits<std::int64_t>::max());
    return -magnitude_index(static_cast<std::uint64_t>(twin));
}

std::int64_t value_of(std::int32_t index) noexcept {
    const std::uint64_t magnitude = index_magnitude(static_cast<std::uint32_t>(std::abs(index)));
    return index >= 0 ? static_cast<std::int64_t>(magnitude)
                      : static_cast<std::int64_t>(0 - magnitude);
}

}  // namespace

void Histogram::record(std::int64_t value_ns) {
    const std::int32_t index = index_of(value_ns);
    if (buckets_.empty()) first_index_ = index;
    if (index < first_index_) {
        buckets_.insert(buckets_.begin(), static_cast<std::size_t>(first_index_ - index), 0);
        first_index_ = index;
    }
    const std::size_t place = static_cast<std::size_t>(index - first_index_);
    if (place >= buckets_.size()) buckets_.resize(place + 1);
    ++buckets_[place];
    max_ns_ = count_ == 0 ? value_ns : std::max(max_ns_, value_ns);
    ++count_;
}

std::int64_t Histogram::percentile_ns(double share) const noexcept {
    const double exact_rank = std::ceil(share * static_cast<double>(count_));
    std::uint64_t rank = std::max<std::uint64_t>(static_cast<std::uint64_t>(exact_rank), 1);
    for (std::size_t place = 0; place < buckets_.size(); ++place) {
        if (buckets_[place] >= rank) {
            const std::int64_t value = value_of(first_index_ + static_cast<std::int32_t>(place));
            return std::min(value, max_ns_);
        }
        rank -= buckets_[place];
    }
    return max_ns_;
}

}  // namespace latmon::plugins
