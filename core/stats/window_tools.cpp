// SPDX-License-Identifier: Apache-2.0
//
// See window_tools.hpp.
#include "stats/window_tools.hpp"

#include "base/assert.hpp"
#include "stats/bucket_index.hpp"
#include "stats/rank.hpp"

#include <algorithm>
#include <limits>

namespace latmon {
namespace {

using Buckets = std::span<const latmon_bucket_t>;

bool is_within(std::uint32_t first, std::uint32_t count, std::uint32_t all) noexcept {
    return first <= all && count <= all - first;
}

// Goes on from the `seen` smallest values.
class Walk {
public:
    explicit Walk(std::uint64_t rank) noexcept : rank_(rank) {}
    // True when the rank is reached.
    bool pass(std::uint64_t count) noexcept {
        seen_ += count;
        return seen_ >= rank_;
    }

private:
    std::uint64_t rank_;
    std::uint64_t seen_ = 0;
};

// Of buckets whose counts are less than the rank: the largest there is.
std::int64_t value_at(Buckets negative, Buckets positive, const latmon_distribution_t& distribution,
                      std::uint64_t rank) noexcept {
    Walk walk(rank);
    for (auto bucket = negative.rbegin(); bucket != negative.rend(); ++bucket) {
        if (walk.pass(bucket->count)) return -bucket_value_ns(bucket->index);
    }
    if (walk.pass(distribution.zero_count)) return 0;
    for (const latmon_bucket_t& bucket : positive) {
        if (walk.pass(bucket.count)) return bucket_value_ns(bucket.index);
    }
    return distribution.max_ns;
}

}  // namespace

bool window_quantile(const latmon_window_t& window, const latmon_distribution_t& distribution,
                     double ratio, std::uint64_t above, std::int64_t* value_ns) noexcept {
    const latmon_distribution_t& from = distribution;
    if (!is_within(from.positive_first, from.positive_count, window.bucket_count)) return false;
    if (!is_within(from.negative_first, from.negative_count, window.bucket_count)) return false;
    if (from.min_ns > from.max_ns) return false;
    const std::uint64_t rank = rank_below(ratio, from.count, above);
    if (rank == 0) return false;
    if (rank == 1 || rank == from.count) {
        *value_ns = rank == 1 ? from.min_ns : from.max_ns;
        return true;
    }
    const Buckets all{window.buckets, window.bucket_count};
    const std::int64_t value =
        value_at(all.subspan(from.negative_first, from.negative_count),
                 all.subspan(from.positive_first, from.positive_count), from, rank);
    *value_ns = std::clamp(value, from.min_ns, from.max_ns);
    return true;
}

const latmon_window_tools_t& window_tools() noexcept {
    static constexpr latmon_window_tools_t tools{
        .quantile = [](const latmon_window_t* window, const latmon_distribution_t* distribution,
                       double ratio, std::uint64_t above, std::int64_t* value_ns) {
            return window_quantile(*window, *distribution, ratio, above, value_ns);
        }};
    return tools;
}

std::vector<latmon_bucket_t> at_schema(Buckets buckets, int schema) {
    LATMON_ASSERT(schema >= histogram_schema_min && schema <= histogram_schema);
    std::vector<latmon_bucket_t> merged;
    for (const latmon_bucket_t& bucket : buckets) {
        const std::int32_t index = index_at_schema(bucket.index, schema);
        if (merged.empty() || merged.back().index != index) {
            merged.push_back({.index = index, .count = 0});
        }
        constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
        std::uint32_t& count = merged.back().count;
        count += std::min(bucket.count, most - count);
    }
    return merged;
}

}  // namespace latmon
