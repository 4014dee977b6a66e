// SPDX-License-Identifier: Apache-2.0
//
// Numbers and names as cells of a table for people: made as text first and cut or padded to their
// column then, so that a table is aligned whatever the numbers are. Pure; any thread.
#pragma once

#include <latmon/host.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace latmon::plugins {

// Three digits and a unit that fits: "999 ns", "12.3 us", "-1.20 ms". At most 8 characters below
// 100,000 s.
[[nodiscard]] std::string time_text(std::int64_t ns);

// At most 7 characters: "9999999", "10.0 M".
[[nodiscard]] std::string count_text(std::uint64_t count);

// "0 %", "<0.01 %", "12.34 %"; "-" if nothing was sent. Never rounds some loss to none, nor some
// answers to none.
[[nodiscard]] std::string loss_text(std::uint64_t lost, std::uint64_t sent);

// "      1 late, 3 reordered\n" of what there is any; "" if nothing.
struct Note {
    std::uint64_t count;
    std::string_view text;  // Behind a blank.
};
[[nodiscard]] std::string note_text(std::span<const Note> notes);

// `utf8` in exactly `columns`, a code point each; what would move the cursor is shown as '?'.
[[nodiscard]] std::string fitted(std::string_view utf8, std::size_t columns);

// ASCII text, right-aligned behind one space.
void append_cell(std::string& out, std::string_view text, std::size_t columns);

struct Column {
    std::string_view group;  // Stands above this and the columns before it that have none.
    std::string_view name;
    std::size_t columns;
};

// Two lines, above a first column of the protocol and a second of the target.
[[nodiscard]] std::string head_text(std::span<const Column> columns);

// The two first columns of a row.
[[nodiscard]] std::string row_name(const latmon_series_t& series);

// "latmon at NAME, 2026-01-12 11:58:54 UTC", in one line without its end.
[[nodiscard]] std::string title_text(std::string_view node, std::int64_t time_ns);

}  // namespace latmon::plugins
