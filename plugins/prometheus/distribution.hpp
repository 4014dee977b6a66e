// SPDX-License-Identifier: Apache-2.0
//
// What has been measured of one quantity since the start: windows added up, as a native histogram
// (sparse) and as classic buckets. Adding is exact: buckets of schema 7 fall into those of a lower
// schema as a whole. One thread at a time.
//
// Memory: 16 octets per bucket in use and half as much in reserve, and 8 per classic bucket: some
// 1 KiB for a path whose times span three octaves.
#pragma once

#include "prometheus/bounds.hpp"
#include "prometheus/time_sum.hpp"

#include <latmon/window.h>

#include <cstdint>
#include <span>
#include <vector>

namespace latmon::plugins::prometheus {

// What every distribution is kept as.
struct Shape {
    bool has_native = true;
    int schema = 5;  // 0 to 7; of the native histogram.
    Bounds bounds;
};

struct Cell {
    std::int32_t index = 0;
    std::uint64_t count = 0;
};

struct Distribution {
    std::uint64_t count = 0;
    TimeSum sum;
    std::uint64_t zero_count = 0;
    std::uint64_t negative_count = 0;    // Values below 0: the sum may have fallen then.
    std::vector<Cell> positive;          // Ascending, of Shape::schema; none is 0.
    std::vector<Cell> negative;          // Likewise, by the index of -v.
    std::vector<std::uint64_t> classic;  // Not cumulative; empty, or one for each bound.

    // `added` belongs to `window`, whose buckets it has.
    void add(const latmon_window_t& window, const latmon_distribution_t& added, const Shape& shape);
};

// Schema 7 to a lower one: bucket i there lies in this one as a whole.
[[nodiscard]] constexpr std::int32_t downscaled(std::int32_t index, int schema) noexcept {
    return ((index - 1) >> (LATMON_HISTOGRAM_SCHEMA - schema)) + 1;
}

}  // namespace latmon::plugins::prometheus
