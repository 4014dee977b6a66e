// SPDX-License-Identifier: Apache-2.0
//
// What the ClickHouse exporter reads that it did not just write: rows out of a spool, which may be
// spoiled or another version's, a server's description of a table, and its answer about the rows
// that a table does not have. Every row that is read must be writable for every kind of column. A
// libFuzzer target.
#include "base/assert.hpp"
#include "clickhouse/mapping.hpp"
#include "clickhouse/missing.hpp"

#include <string>
#include <string_view>

namespace latmon::plugins::clickhouse {
namespace {

// All fields, tags in each of their forms among them.
Mapping all_columns() {
    std::string description;
    for (const Field& field : sample_fields()) {
        const char* type = "Nullable(Int64)";
        if (field.kind == Field::Kind::text) type = "LowCardinality(String)";
        if (field.kind == Field::Kind::blame) type = "Array(String)";
        if (field.kind == Field::Kind::tags) type = "Map(String, String)";
        description += std::string(field.name) + "\t" + type + "\t\n";
    }
    Mapping mapping = map_samples(parse_description(description));
    LATMON_ASSERT(mapping.error.empty() && mapping.missing.empty());
    const Field* tags = nullptr;
    for (const Slot& slot : mapping.slots) {
        if (slot.encoding == Encoding::tag_map) tags = slot.field;
    }
    for (const Encoding encoding :
         {Encoding::tag_strings, Encoding::tag_keys, Encoding::tag_values, Encoding::tag_json}) {
        mapping.slots.push_back({.field = tags, .encoding = encoding});
    }
    return mapping;
}

void read_rows(std::string_view octets) {
    static const Mapping mapping = all_columns();
    Row row;
    std::string out;
    while (!octets.empty()) {
        const std::size_t before = octets.size();
        const ReadResult result = read_row(octets, row);
        if (result == ReadResult::broken) {
            LATMON_ASSERT(octets.size() == before);
            return;
        }
        LATMON_ASSERT(octets.size() < before);
        if (result != ReadResult::row) continue;
        out.clear();
        append_row_binary(out, row, mapping.slots);
        LATMON_ASSERT(out.size() >= mapping.slots.size());
    }
}

void read_description(std::string_view text) {
    const std::vector<Column> columns = parse_description(text);
    static const std::vector<std::string> names{"a", "b", "c", "tags", "e"};
    for (const Mapping& mapping : {map_samples(columns), map_points(columns, names)}) {
        LATMON_ASSERT(mapping.columns.size() == mapping.slots.size());
        for (const Slot& slot : mapping.slots) {
            LATMON_ASSERT(slot.tick_ns >= 1);
        }
    }
}

void read_missing(std::string_view text) {
    const std::optional<Missing> missing = parse_missing(text);
    if (!missing) return;
    std::int64_t before = -1;
    for (const RowRange& range : missing->ranges) {
        LATMON_ASSERT(range.first > before && range.last >= range.first);
        before = range.last;
    }
    LATMON_ASSERT(before < missing->rows || missing->rows == 0);
}

}  // namespace
}  // namespace latmon::plugins::clickhouse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (*data == 'D') {
        latmon::plugins::clickhouse::read_description(rest);
    } else if (*data == 'M') {
        latmon::plugins::clickhouse::read_missing(rest);
    } else {
        latmon::plugins::clickhouse::read_rows(rest);
    }
    return 0;
}
