// SPDX-License-Identifier: Apache-2.0
//
// Which rows of a block a table does not have, as a server answers it (question.hpp asks): from the
// network, so that anything may stand in it. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace latmon::plugins::clickhouse {

// As many ranges are asked for: the answer, with two numbers of seven digits at most for each,
// stays within the 64 KiB that are kept of one.
inline constexpr std::size_t missing_ranges_max = 3'000;

// Rows from the first to the last of these numbers, both included.
struct RowRange {
    std::int64_t first = 0;
    std::int64_t last = 0;
    friend bool operator==(const RowRange&, const RowRange&) = default;
};

// What the statement answers.
struct Missing {
    std::int64_t rows = 0;         // Of external data, as the server has counted them.
    std::vector<RowRange> ranges;  // Those that the table does not have, in order.
    bool is_cut = false;           // There may be more behind the last.
};
// Of an answer in TabSeparated; nullopt if it is anything else.
[[nodiscard]] std::optional<Missing> parse_missing(std::string_view text);

}  // namespace latmon::plugins::clickhouse
