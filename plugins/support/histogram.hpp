// SPDX-License-Identifier: Apache-2.0
//
// Percentiles of nanoseconds in little memory, for a table that people look at. Values below 64 are
// kept exactly; above, an octave has 64 equal buckets, so that a bucket's middle is within 1/128
// (0.8 %) of every value in it. Negative values are mirrored: one-way delays have them.
//
// Memory: 8 octets per bucket between the smallest and the largest value seen, and up to as much
// again in reserve: at most 128 KiB (2 x 58 octaves), some 3 KiB for a path whose times span three
// octaves. One thread at a time.
#pragma once

#include <cstdint>
#include <vector>

namespace latmon::plugins {

class Histogram {
public:
    void record(std::int64_t value_ns);

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    // The largest value recorded, exactly. Call only if count() > 0.
    [[nodiscard]] std::int64_t max_ns() const noexcept { return max_ns_; }
    // The value at or below which `share`, in (0, 1], of all lie: nearest rank, within 0.8 % and
    // never above max_ns(). Call only if count() > 0.
    [[nodiscard]] std::int64_t percentile_ns(double share) const noexcept;

private:
    std::vector<std::uint64_t> buckets_;
    std::int32_t first_index_ =
        0;  // Of buckets_[0]; indexes grow with values, and may be negative.
    std::uint64_t count_ = 0;
    std::int64_t max_ns_ = 0;
};

}  // namespace latmon::plugins
