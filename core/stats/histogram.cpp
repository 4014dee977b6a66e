// SPDX-License-Identifier: Apache-2.0
//
// See histogram.hpp.
#include "stats/histogram.hpp"

#include "stats/rank.hpp"

namespace latmon {
namespace {

std::uint64_t sum_of(const BucketCounts& counts) {
    std::uint64_t sum = 0;
    counts.each([&sum](std::int32_t, std::uint64_t count) { sum += count; });
    return sum;
}

// The bucket of the `rank`-th count, by index.
std::int32_t index_at(const BucketCounts& counts, std::uint64_t rank) {
    std::int32_t found = 0;
    std::uint64_t seen = 0;
    counts.each([&](std::int32_t index, std::uint64_t count) {
        if (seen < rank) found = index;
        seen += count;
    });
    return found;
}

}  // namespace

void Histogram::merge(const Histogram& other) {
    positive_.merge(other.positive_);
    negative_.merge(other.negative_);
    totals_.count += other.totals_.count;
    totals_.zero_count += other.totals_.zero_count;
    totals_.sum_ns += other.totals_.sum_ns;
    totals_.min_ns = std::min(totals_.min_ns, other.totals_.min_ns);
    totals_.max_ns = std::max(totals_.max_ns, other.totals_.max_ns);
}

void Histogram::clear() noexcept {
    positive_.clear();
    negative_.clear();
    totals_ = {};
}

std::optional<std::int64_t> Histogram::quantile(double ratio, std::uint64_t above) const {
    const std::uint64_t rank = rank_below(ratio, totals_.count, above);
    if (rank == 0) return std::nullopt;
    if (rank == 1) return totals_.min_ns;
    if (rank == totals_.count) return totals_.max_ns;
    const std::uint64_t negatives = sum_of(negative_);
    const auto within = [this](std::int64_t value_ns) {
        return std::clamp(value_ns, totals_.min_ns, totals_.max_ns);
    };
    // The smallest have the largest index.
    if (rank <= negatives) {
        return within(-bucket_value_ns(index_at(negative_, negatives + 1 - rank)));
    }
    const std::uint64_t below_positive = negatives + totals_.zero_count;
    if (rank <= below_positive) return 0;
    return within(bucket_value_ns(index_at(positive_, rank - below_positive)));
}

}  // namespace latmon
