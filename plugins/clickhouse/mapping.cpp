// SPDX-License-Identifier: Apache-2.0
//
// A type that could lose what is measured is refused, not rounded: an operator can change a table,
// but nobody can get back what was cut off.
#include "clickhouse/mapping.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace latmon::plugins::clickhouse {
namespace {

using Base = ColumnType::Base;

std::optional<Encoding> integer_encoding(const Field& field, const ColumnType& type) {
    if (type.base == Base::float64) return Encoding::float64;
    if (type.base != Base::integer) return std::nullopt;
    if (field.is_signed && !type.is_signed) return std::nullopt;
    const unsigned room_bits = type.is_signed ? type.bits - 1U : type.bits;
    if (room_bits < field.bits) return std::nullopt;
    switch (type.bits) {
        case 8:
            return Encoding::int8;
        case 16:
            return Encoding::int16;
        case 32:
            return Encoding::int32;
        default:
            return Encoding::int64;
    }
}

// A Float64 would round to 256 ns.
std::optional<Encoding> time_encoding(const Field& field, const ColumnType& type) {
    if (type.base == Base::date_time) return Encoding::seconds;
    if (type.base == Base::date_time64) return Encoding::ticks;
    return type.base == Base::integer ? integer_encoding(field, type) : std::nullopt;
}

std::optional<Encoding> encoding_of(const Field& field, const ColumnType& type) {
    switch (field.kind) {
        case Field::Kind::integer:
            return integer_encoding(field, type);
        case Field::Kind::time:
            return time_encoding(field, type);
        case Field::Kind::text:
            if (type.base == Base::string) return Encoding::text;
            break;
        case Field::Kind::blame:
            if (type.base == Base::string_array) return Encoding::words;
            if (type.base == Base::integer) return integer_encoding(field, type);
            break;
        case Field::Kind::tags:
            if (type.base == Base::string_map) return Encoding::tag_map;
            if (type.base == Base::string_array) return Encoding::tag_strings;
            if (type.base == Base::string) return Encoding::tag_json;
            break;
    }
    return std::nullopt;
}

std::string_view cure_of(const Field& field) {
    switch (field.kind) {
        case Field::Kind::integer:
            if (field.is_signed) return field.bits > 31 ? "Int64 or Float64" : "Int32 or Int64";
            if (field.bits > 32) return "UInt64, Int64 or Float64";
            return field.bits > 16  ? "UInt32 or UInt64"
                   : field.bits > 8 ? "UInt16 or wider"
                                    : "UInt8 or wider";
        case Field::Kind::time:
            return "DateTime64(9), DateTime, UInt64 or Int64 (nanoseconds)";
        case Field::Kind::text:
            return "String or LowCardinality(String)";
        case Field::Kind::blame:
            return "Array(String) or UInt32";
        case Field::Kind::tags:
            return "Map(String, String), Nested(key String, value String), Array(String) or String";
    }
    return "";
}

std::int64_t tick_ns(const ColumnType& type) {
    std::int64_t tick = 1;
    for (int digits = type.precision; digits < 9; ++digits) {
        tick *= 10;
    }
    return tick;
}

const Column* find(std::span<const Column> table, std::string_view name) {
    const auto found = std::find_if(table.begin(), table.end(),
                                    [name](const Column& column) { return column.name == name; });
    return found == table.end() ? nullptr : &*found;
}

// The two columns of a Nested, keys first.
using Pair = std::array<const Column*, 2>;
std::optional<Pair> find_nested(std::span<const Column> table, const std::string& name) {
    std::vector<const Column*> parts;
    for (const Column& column : table) {
        const bool is_array = column.type.base == Base::string_array;
        if (is_array && column.name.starts_with(name + ".")) parts.push_back(&column);
    }
    if (parts.size() != 2) return std::nullopt;
    const std::string_view second = std::string_view(parts[1]->name).substr(name.size() + 1);
    const bool is_turned =
        second == "key" || second == "Key" || second == "keys" || second == "Keys" || second == "1";
    if (is_turned) std::swap(parts[0], parts[1]);
    return Pair{parts[0], parts[1]};
}

class Matcher {
public:
    explicit Matcher(std::span<const Column> table) : table_(table) {}

    // Finds `name` in the table and adds it. False if the table has no such column.
    bool add(const Field& field, const std::string& name) {
        if (const Column* const column = find(table_, name)) {
            if (column->is_writable) add_column(field, *column);
            return true;
        }
        const std::optional<Pair> nested =
            field.kind == Field::Kind::tags ? find_nested(table_, name) : std::nullopt;
        if (!nested) return false;
        add_slot(field, *nested->at(0), Encoding::tag_keys);
        add_slot(field, *nested->at(1), Encoding::tag_values);
        return true;
    }

    // Without NULL, only `valid` tells a value from none.
    void check_absence() {
        const auto& columns = mapping_.columns;
        const bool has_valid = std::find(columns.begin(), columns.end(), "valid") != columns.end();
        for (std::size_t index = 0; index < columns.size() && !has_valid; ++index) {
            const Slot& slot = mapping_.slots[index];
            const bool is_bare = slot.field->needs != 0 && !slot.is_nullable;
            if (!is_bare || slot.field->kind == Field::Kind::text) continue;
            fail("column " + columns[index] + " cannot say that there is no value: make it " +
                 "Nullable, or add a column valid UInt32");
        }
    }

    void miss(std::string_view name) { mapping_.missing.emplace_back(name); }
    void fail(const std::string& error) {
        if (!mapping_.error.empty()) mapping_.error += "; ";
        mapping_.error += error;
    }
    [[nodiscard]] bool has(std::string_view name) const { return find(table_, name) != nullptr; }
    [[nodiscard]] Mapping take() { return std::move(mapping_); }

private:
    void add_column(const Field& field, const Column& column) {
        const std::optional<Encoding> encoding = encoding_of(field, column.type);
        if (encoding) {
            add_slot(field, column, *encoding);
            return;
        }
        fail("column " + column.name + " is " + column.type_text + ", which cannot hold " +
             std::string(field.name) + ": make it " + std::string(cure_of(field)));
    }

    void add_slot(const Field& field, const Column& column, Encoding encoding) {
        mapping_.columns.push_back(column.name);
        mapping_.slots.push_back({.field = &field,
                                  .encoding = encoding,
                                  .is_nullable = column.type.is_nullable,
                                  .tick_ns = tick_ns(column.type),
                                  .type = column.type});
    }

    std::span<const Column> table_;
    Mapping mapping_;
};

}  // namespace

Mapping map_samples(std::span<const Column> table) {
    Matcher matcher(table);
    for (const Field& field : sample_fields()) {
        if (matcher.add(field, std::string(field.name))) continue;
        const std::string_view twin = field.name == "time"      ? "time_ns"
                                      : field.name == "time_ns" ? "time"
                                                                : "";
        if (twin.empty() || !matcher.has(twin)) matcher.miss(field.name);
    }
    matcher.check_absence();
    Mapping mapping = matcher.take();
    if (mapping.columns.empty() && mapping.error.empty()) {
        mapping.error = "the table has none of the columns of contrib/clickhouse/schema.sql";
    }
    return mapping;
}

Mapping map_points(std::span<const Column> table, std::span<const std::string> names) {
    Matcher matcher(table);
    const std::span<const Field, point_field_count> fields = point_fields();
    for (std::size_t index = 0; index < names.size() && index < fields.size(); ++index) {
        const Field& field = fields[index];
        if (matcher.add(field, names[index])) continue;
        matcher.fail("there is no column " + names[index] + ", for " + std::string(field.name) +
                     ": add it, or name another in columns");
    }
    return matcher.take();
}

}  // namespace latmon::plugins::clickhouse
