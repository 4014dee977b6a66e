// SPDX-License-Identifier: Apache-2.0
//
// Types: clickhouse.com/docs, "Data types"; escapes: "TabSeparated".
#include "clickhouse/column_type.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace latmon::plugins::clickhouse {
namespace {

using Base = ColumnType::Base;

std::string_view trimmed(std::string_view text) noexcept {
    while (text.starts_with(' ')) {
        text.remove_prefix(1);
    }
    while (text.ends_with(' ')) {
        text.remove_suffix(1);
    }
    return text;
}

// What stands between the parentheses of NAME(...), if `text` is that.
std::optional<std::string_view> inside(std::string_view text, std::string_view name) noexcept {
    if (!text.starts_with(name) || text.size() < name.size() + 2) return std::nullopt;
    if (text[name.size()] != '(' || text.back() != ')') return std::nullopt;
    return trimmed(text.substr(name.size() + 1, text.size() - name.size() - 2));
}

// The parts of "A, B(C, D)" that a comma separates outside of parentheses; two at most.
std::pair<std::string_view, std::string_view> two_parts(std::string_view text) noexcept {
    int depth = 0;
    for (std::size_t index = 0; index < text.size(); ++index) {
        depth += text[index] == '(' ? 1 : text[index] == ')' ? -1 : 0;
        if (text[index] == ',' && depth == 0) {
            return {trimmed(text.substr(0, index)), trimmed(text.substr(index + 1))};
        }
    }
    return {text, {}};
}

bool is_string(std::string_view text) noexcept {
    return inside(text, "LowCardinality").value_or(text) == "String";
}

// An element of a tuple may have a name: "key String".
bool is_string_element(std::string_view text) noexcept {
    const std::size_t blank = text.find(' ');
    return is_string(text) ||
           (blank != std::string_view::npos && is_string(trimmed(text.substr(blank))));
}

bool is_string_pair(std::string_view text) noexcept {
    const auto [first, second] = two_parts(text);
    return is_string_element(first) && is_string_element(second);
}

// UInt8 to UInt64 and Int8 to Int64.
std::optional<ColumnType> parse_integer(std::string_view text) noexcept {
    ColumnType type{.base = Base::integer, .is_signed = !text.starts_with('U')};
    if (!type.is_signed) text.remove_prefix(1);
    if (!text.starts_with("Int")) return std::nullopt;
    for (const unsigned bits : {8U, 16U, 32U, 64U}) {
        if (text.substr(3) != std::to_string(bits)) continue;
        type.bits = static_cast<std::uint8_t>(bits);
        return type;
    }
    return std::nullopt;
}

std::optional<ColumnType> parse_date_time64(std::string_view text) noexcept {
    const std::optional<std::string_view> arguments = inside(text, "DateTime64");
    if (!arguments) return std::nullopt;
    const std::string_view digits = two_parts(*arguments).first;
    ColumnType type{.base = Base::date_time64};
    const char* const end = digits.data() + digits.size();
    const std::from_chars_result done = std::from_chars(digits.data(), end, type.precision);
    if (done.ec != std::errc() || done.ptr != end || type.precision > 9) return std::nullopt;
    return type;
}

ColumnType parse_bare(std::string_view text) {
    if (text == "String") return {.base = Base::string};
    if (text == "Float64") return {.base = Base::float64};
    if (text == "DateTime" || inside(text, "DateTime")) return {.base = Base::date_time};
    if (const auto type = parse_date_time64(text)) return *type;
    if (const auto type = parse_integer(text)) return *type;
    if (const auto arguments = inside(text, "Map"); arguments && is_string_pair(*arguments)) {
        return {.base = Base::string_map, .is_map = true};
    }
    if (const auto arguments = inside(text, "Nested"); arguments && is_string_pair(*arguments)) {
        return {.base = Base::string_map};
    }
    const std::optional<std::string_view> element = inside(text, "Array");
    if (!element) return {};
    if (is_string(*element)) return {.base = Base::string_array};
    const std::optional<std::string_view> tuple = inside(*element, "Tuple");
    return tuple && is_string_pair(*tuple) ? ColumnType{.base = Base::string_map} : ColumnType{};
}

std::string bare_name(const ColumnType& type) {
    switch (type.base) {
        case Base::integer:
            return (type.is_signed ? "Int" : "UInt") + std::to_string(type.bits);
        case Base::float64:
            return "Float64";
        case Base::string:
            return "String";
        case Base::date_time:
            return "DateTime";
        case Base::date_time64:
            return "DateTime64(" + std::to_string(type.precision) + ")";
        case Base::string_array:
            return "Array(String)";
        case Base::string_map:
        case Base::unknown:
            break;
    }
    return "";
}

// A value of TabSeparated: \b \f \r \n \t \0 \' \\; any other letter after '\' stands for itself.
std::string unescaped(std::string_view text) {
    static constexpr std::string_view letters = "bfrnt0";
    static constexpr std::string_view meanings("\b\f\r\n\t\0", 6);
    std::string out;
    for (std::size_t index = 0; index < text.size(); ++index) {
        if (text[index] != '\\' || index + 1 == text.size()) {
            out += text[index];
            continue;
        }
        const std::size_t place = letters.find(text[++index]);
        out += place == std::string_view::npos ? text[index] : meanings[place];
    }
    return out;
}

std::string_view take_until(std::string_view& text, char end) noexcept {
    const std::size_t place = std::min(text.find(end), text.size());
    const std::string_view taken = text.substr(0, place);
    text.remove_prefix(std::min(place + 1, text.size()));
    return taken;
}

}  // namespace

ColumnType parse_type(std::string_view text) {
    text = trimmed(text);
    bool is_nullable = false;
    for (;;) {
        if (const auto low = inside(text, "LowCardinality")) {
            text = *low;
        } else if (const auto nullable = inside(text, "Nullable"); nullable && !is_nullable) {
            text = *nullable;
            is_nullable = true;
        } else {
            break;
        }
    }
    ColumnType type = parse_bare(text);
    type.is_nullable = is_nullable;
    return type;
}

std::string plain_name(const ColumnType& type) {
    const std::string name = bare_name(type);
    return type.is_nullable && !name.empty() ? "Nullable(" + name + ")" : name;
}

std::vector<Column> parse_description(std::string_view text) {
    std::vector<Column> columns;
    while (!text.empty()) {
        std::string_view line = take_until(text, '\n');
        Column column;
        column.name = unescaped(take_until(line, '\t'));
        column.type_text = unescaped(take_until(line, '\t'));
        const std::string_view how = take_until(line, '\t');
        if (column.name.empty() || column.type_text.empty()) continue;
        column.is_writable = how != "MATERIALIZED" && how != "ALIAS" && how != "EPHEMERAL";
        column.type = parse_type(column.type_text);
        columns.push_back(std::move(column));
    }
    return columns;
}

}  // namespace latmon::plugins::clickhouse
