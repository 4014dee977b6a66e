// SPDX-License-Identifier: Apache-2.0
//
// The rows of a record, one after the other: the one way to number them. What cannot be read, or is
// of another shape, is no row. Pure; any thread.
#pragma once

#include "clickhouse/row.hpp"

#include <cstdint>
#include <string_view>

namespace latmon::plugins::clickhouse {

// Calls with each row; says how many there were.
template <typename Function>
std::uint64_t for_each_row(std::string_view payload, Shape shape, Function&& function) {
    std::uint64_t rows = 0;
    Row row;
    while (!payload.empty()) {
        const ReadResult result = read_row(payload, row);
        if (result == ReadResult::broken) break;
        if (result != ReadResult::row || row.shape != shape) continue;
        function(static_cast<const Row&>(row));
        ++rows;
    }
    return rows;
}

}  // namespace latmon::plugins::clickhouse
