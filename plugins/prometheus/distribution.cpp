// SPDX-License-Identifier: Apache-2.0
//
// See distribution.hpp.
#include "prometheus/distribution.hpp"

#include <algorithm>

namespace latmon::plugins::prometheus {
namespace {

void add_cell(std::vector<Cell>& cells, std::int32_t index, std::uint64_t count) {
    const auto found = std::ranges::lower_bound(cells, index, {}, &Cell::index);
    if (found != cells.end() && found->index == index) {
        found->count += count;
    } else {
        cells.insert(found, {.index = index, .count = count});
    }
}

}  // namespace

void Distribution::add(const latmon_window_t& window, const latmon_distribution_t& added,
                       const Shape& shape) {
    if (added.count == 0) return;
    count += added.count;
    sum.add(added.sum_ns);
    zero_count += added.zero_count;
    if (classic.empty()) classic.resize(shape.bounds.size());
    const auto count_classic = [&](std::size_t place, std::uint64_t values) {
        if (place < classic.size()) classic[place] += values;
    };
    count_classic(0, added.zero_count);
    const std::span<const latmon_bucket_t> all(window.buckets, window.bucket_count);
    for (const latmon_bucket_t& bucket : all.subspan(added.negative_first, added.negative_count)) {
        negative_count += bucket.count;
        count_classic(0, bucket.count);
        if (shape.has_native) {
            add_cell(negative, downscaled(bucket.index, shape.schema), bucket.count);
        }
    }
    for (const latmon_bucket_t& bucket : all.subspan(added.positive_first, added.positive_count)) {
        count_classic(shape.bounds.place_of_bucket(bucket.index, added.max_ns), bucket.count);
        if (shape.has_native) {
            add_cell(positive, downscaled(bucket.index, shape.schema), bucket.count);
        }
    }
}

}  // namespace latmon::plugins::prometheus
