// SPDX-License-Identifier: Apache-2.0
//
// Which rows of a block a table does not have: as SQL, with the block's own rows beside it as
// external data. Rows are told apart by the columns that make them what they are (Field::is_key),
// not by all: cheap, and no matter what a later version of us adds. Sends nothing. Pure; any
// thread.
//
// A table is asked only if it keeps the time to the nanosecond. In a coarser one rows of different
// samples are alike, and to take one for the other would lose it.
#pragma once

#include "clickhouse/mapping.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace latmon::plugins::clickhouse {

// What is to be asked of a table: decided once from its columns.
struct Question {
    std::vector<Slot> slots;  // Columns of a row of external data, behind its number.
    std::string structure;    // Of the external data: "n Int64,c0 DateTime,...".
    std::string statement;    // SELECT. Empty: rows cannot be told apart in this table.
};
[[nodiscard]] Question question_of(const Mapping& mapping, std::string_view table);

// The name that Question::statement has for the external data.
inline constexpr std::string_view block_name = "latmon_block";

// Appends row `number` of the block as external data.
void append_question_row(std::string& out, std::int64_t number, const Row& row,
                         const Question& question);

}  // namespace latmon::plugins::clickhouse
