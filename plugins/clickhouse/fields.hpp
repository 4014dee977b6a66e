// SPDX-License-Identifier: Apache-2.0
//
// What a row has to offer to a table: one list of names, with how to get each value out of a row.
// Names, units and words are those of latmon/sample.h; the list is the documentation of the new
// table's columns. Pure; any thread.
#pragma once

#include "clickhouse/row.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace latmon::plugins::clickhouse {

// Room for a text that is made of a value: the longest is an IPv6 address.
using TextRoom = std::array<char, 64>;

struct Field {
    enum class Kind : std::uint8_t {
        integer,
        time,   // Nanoseconds since 1970.
        text,   //
        blame,  // A set of bits that have words.
        tags    // Keys and values.
    };

    std::string_view name;
    Kind kind = Kind::integer;
    std::uint8_t bits = 0;    // Of an integer's magnitude, without its sign.
    bool is_signed = false;   // It may be negative.
    std::uint32_t needs = 0;  // Bits of `valid` without which it has no value.
    std::int64_t (*integer)(const Row& row) = nullptr;  // Of integer, time and blame.
    std::string_view (*text)(const Row& row, TextRoom& room) = nullptr;
    bool is_key = false;  // Together with the others of its shape it tells a row from any other.
    bool is_key_time = false;  // The one that does nearly all of that, if it is kept whole.
};

// Of a sample. "time" and "time_ns" are the same value: a table has one of the two, or both.
[[nodiscard]] std::span<const Field> sample_fields() noexcept;

// Of a point, in the order of the option `columns`.
inline constexpr std::size_t point_field_count = 5;
[[nodiscard]] std::span<const Field, point_field_count> point_fields() noexcept;

}  // namespace latmon::plugins::clickhouse
