// SPDX-License-Identifier: Apache-2.0
//
// A distribution of durations: a base-2 exponential histogram of schema 7 (bucket_index.hpp) with
// exact sum, minimum and maximum. Histograms may be merged in any order and any grouping, and are
// then, bit for bit, the histogram of all their values. Zero and negative values (of one-way delays
// between two clocks) are kept as what they are. One thread.
#pragma once

#include "stats/bucket_counts.hpp"
#include "stats/bucket_index.hpp"
#include "stats/wide.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace latmon {

class Histogram {
public:
    // All of it but the counts of buckets; all exact.
    struct Totals {
        std::uint64_t count = 0;
        std::uint64_t zero_count = 0;
        Wide sum_ns = 0;
        // Of no values these are the ends, the wrong way round.
        std::int64_t min_ns = std::numeric_limits<std::int64_t>::max();
        std::int64_t max_ns = std::numeric_limits<std::int64_t>::min();
    };

    // Some 5 ns if the value is near the one before.
    void record(std::int64_t value_ns) {
        if (value_ns > 0) {
            positive_.add_one(bucket_index(value_ns));
        } else if (value_ns < 0) {
            negative_.add_one(bucket_index(magnitude(value_ns)));
        } else {
            ++totals_.zero_count;
        }
        ++totals_.count;
        totals_.sum_ns += value_ns;
        totals_.min_ns = std::min(totals_.min_ns, value_ns);
        totals_.max_ns = std::max(totals_.max_ns, value_ns);
    }
    void merge(const Histogram& other);
    void clear() noexcept;
    // Of an empty one: what took so many buckets will do so again.
    void make_room_as(const Histogram& other) {
        positive_.make_room_as(other.positive_);
        negative_.make_room_as(other.negative_);
    }

    // The value at or below which `ratio` of all values and of `above` more lie, which are greater
    // than any: nearest rank. Right within 0.28 % and half a nanosecond, exact at both ends.
    // Nothing if there is no value, if the rank is among `above`, or if `ratio` is not a number.
    [[nodiscard]] std::optional<std::int64_t> quantile(double ratio, std::uint64_t above) const;

    [[nodiscard]] const Totals& totals() const noexcept { return totals_; }
    // Of values above 0, and by the index of -v of those below.
    [[nodiscard]] const BucketCounts& positive() const noexcept { return positive_; }
    [[nodiscard]] const BucketCounts& negative() const noexcept { return negative_; }
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return positive_.memory_bytes() + negative_.memory_bytes();
    }

    // How a stored histogram comes back: into an empty one, all that the accessors told.
    void set_totals(const Totals& totals) noexcept { totals_ = totals; }
    void add_positive(std::int32_t index, std::uint64_t count) { positive_.add(index, count); }
    void add_negative(std::int32_t index, std::uint64_t count) { negative_.add(index, count); }

private:
    // -2^63 has no counterpart; its neighbour lies in the same bucket.
    [[nodiscard]] static constexpr std::int64_t magnitude(std::int64_t value_ns) noexcept {
        return -std::max(value_ns, -std::numeric_limits<std::int64_t>::max());
    }

    BucketCounts positive_;
    BucketCounts negative_;
    Totals totals_;
};

}  // namespace latmon
