// SPDX-License-Identifier: Apache-2.0
//
// A TOML file as plain values with their positions, keys in the file's order. It stands between the
// TOML library, which only parse.cpp knows, and the readers, which only want strings, numbers and
// tables. Made and dropped within one parse_config(). [main-thread]
#pragma once

#include "config/config.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace latmon {

struct TomlMember;

// What no key of ours takes: dates, times, and what is nested deeper than any key of ours.
struct TomlUnsupported {};

struct TomlTable {
    std::vector<TomlMember> members;
    SourcePosition where;  // Of its header, or of its opening brace.

    [[nodiscard]] const TomlMember* find(std::string_view key) const noexcept;
};

struct TomlValue {
    using List = std::vector<TomlValue>;
    std::variant<std::string, bool, std::int64_t, double, List, TomlTable, TomlUnsupported> data;
    SourcePosition where;
};

struct TomlMember {
    std::string key;
    SourcePosition where;  // Of the key.
    TomlValue value;
};

// "a string", "an integer", "a table" and so on, for messages.
[[nodiscard]] std::string_view type_name(const TomlValue& value) noexcept;

}  // namespace latmon
