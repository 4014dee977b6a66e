// SPDX-License-Identifier: Apache-2.0
//
// Which value goes into which column, and how it is written: decided once per table from the types
// of its columns, so that a row costs no decision. Pure; any thread.
#pragma once

#include "clickhouse/column_type.hpp"
#include "clickhouse/fields.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace latmon::plugins::clickhouse {

enum class Encoding : std::uint8_t {
    int8,  // Of either sign: the octets are the same.
    int16,
    int32,
    int64,
    float64,
    seconds,      // DateTime: 32 bits.
    ticks,        // DateTime64: 64 bits of Slot::tick_ns.
    text,         // String
    words,        // Array(String) of a set of bits.
    tag_map,      // Map, or an array of pairs.
    tag_strings,  // Array(String) of "key:value".
    tag_keys,     // Array(String), the one of two.
    tag_values,   // Array(String), the other.
    tag_json      // String: an object.
};

// One column to be written.
struct Slot {
    const Field* field = nullptr;
    Encoding encoding = Encoding::text;
    bool is_nullable = false;
    std::int64_t tick_ns = 1;
    ColumnType type{};
};

struct Mapping {
    std::vector<Slot> slots;           // In the order of `columns`.
    std::vector<std::string> columns;  // To be named in the INSERT.
    std::vector<std::string> missing;  // Ours that the table does not have.
    std::string error;                 // Not empty: the table cannot be written; with the cure.
};

// By name: the columns of `table` that are called like a field; others get their default.
[[nodiscard]] Mapping map_samples(std::span<const Column> table);

// By place: `names` are the five columns of a point. All must be there.
[[nodiscard]] Mapping map_points(std::span<const Column> table, std::span<const std::string> names);

// Appends `row` in RowBinary.
void append_row_binary(std::string& out, const Row& row, std::span<const Slot> slots);

}  // namespace latmon::plugins::clickhouse
