// SPDX-License-Identifier: Apache-2.0
//
// ClickHouse's names of types, as far as latmon can write them, and the answer to DESCRIBE TABLE,
// which comes from the network: anything may stand in it. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace latmon::plugins::clickhouse {

// How a value of a type is written in RowBinary. LowCardinality(T) is written as T.
struct ColumnType {
    enum class Base : std::uint8_t {
        unknown,
        integer,       // `bits`, `is_signed`
        float64,       //
        string,        //
        date_time,     // 32 bits of seconds
        date_time64,   // 64 bits of 10^-precision seconds
        string_array,  // Array(String)
        string_map     // Map(String, String); Array(Tuple(String, String)) and Nested(...) alike
    };

    Base base = Base::unknown;
    std::uint8_t bits = 0;
    bool is_signed = false;
    bool is_nullable = false;
    std::uint8_t precision = 0;  // 0 to 9.
    bool is_map = false;         // Of string_map: Map, which has functions of its own.
};

[[nodiscard]] ColumnType parse_type(std::string_view text);

// A name for a type that is written in RowBinary as this one, without blank or comma in it: "" for
// a string_map, which has none. [any-thread]
[[nodiscard]] std::string plain_name(const ColumnType& type);

struct Column {
    std::string name;
    std::string type_text;
    ColumnType type{};
    bool is_writable = true;  // False: MATERIALIZED, ALIAS or EPHEMERAL.
};

// Reads what DESCRIBE TABLE ... FORMAT TabSeparated says. Lines without a type are left out.
[[nodiscard]] std::vector<Column> parse_description(std::string_view text);

}  // namespace latmon::plugins::clickhouse
