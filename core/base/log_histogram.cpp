// SPDX-License-Identifier: Apache-2.0
//
// See log_histogram.hpp.
#include "base/log_histogram.hpp"

#include "base/assert.hpp"

namespace latmon {

std::optional<std::int64_t> LogHistogram::percentile_ns(std::uint32_t per_mille) const noexcept {
    static_assert(bucket_of(value_max) == bucket_count - 1);
    static_assert(bucket_of(middle_of(bucket_count - 1)) == bucket_count - 1);
    LATMON_ASSERT(per_mille <= 1'000);
    if (count_ == 0) return std::nullopt;
    const std::uint64_t rank = std::max<std::uint64_t>((count_ * per_mille + 999) / 1'000, 1);
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
        seen += counts_[bucket];
        if (seen >= rank) return std::min(middle_of(bucket), max_ns_);
    }
    return max_ns_;
}

}  // namespace latmon
