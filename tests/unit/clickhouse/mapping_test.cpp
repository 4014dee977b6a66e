// SPDX-License-Identifier: Apache-2.0
//
// From a table's columns to octets of RowBinary, and what is refused on the way.
#include "clickhouse/mapping.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <array>

namespace latmon::plugins::clickhouse {
namespace {

using namespace std::string_literals;

std::vector<Column> table(std::initializer_list<std::array<const char*, 2>> columns) {
    std::vector<Column> out;
    for (const auto& [name, type] : columns) {
        out.push_back({.name = name, .type_text = type, .type = parse_type(type)});
    }
    return out;
}

const std::vector<std::string> point_columns{"MetricName", "Timestamp", "MetricValue", "Tags",
                                             "InsertedAt"};

// Keeps what the row's views point into.
struct OwnedRow {
    std::string octets;
    Row row;
};

OwnedRow point_row() {
    OwnedRow owned;
    std::string labels;
    const Tag tags[] = {{"source", "a"}, {"isp", "x:y"}};
    append_labels(labels, {.name = "udp.wan.rtt"}, tags);
    append_point(owned.octets,
                 {.time_ns = 1'500'000'000, .value_ns = 258, .taken_ns = 2'999'999'999}, labels);
    std::string_view rest = owned.octets;
    REQUIRE(read_row(rest, owned.row) == ReadResult::row);
    return owned;
}

OwnedRow sample_row(latmon_sample_t sample) {
    OwnedRow owned;
    std::string labels;
    append_labels(labels, {.source = "a", .target = "b"}, {});
    append_sample(owned.octets, sample, labels);
    std::string_view rest = owned.octets;
    REQUIRE(read_row(rest, owned.row) == ReadResult::row);
    return owned;
}

std::string written(const OwnedRow& owned, const Mapping& mapping) {
    CHECK(mapping.error.empty());
    std::string out;
    append_row_binary(out, owned.row, mapping.slots);
    return out;
}

TEST_CASE("mapping: the ancestor's table as it is documented") {
    const Mapping mapping = map_points(table({{"RetentionDays", "UInt8"},
                                              {"InsertedAt", "DateTime64(9)"},
                                              {"Tags", "Map(LowCardinality(String), String)"},
                                              {"MetricName", "String"},
                                              {"Timestamp", "UInt64"},
                                              {"MetricValue", "UInt64"}}),
                                       point_columns);
    CHECK(mapping.columns == point_columns);
    CHECK(written(point_row(), mapping) == "\x0budp.wan.rtt"s + "\x00\x2f\x68\x59\0\0\0\0"s +
                                               "\x02\x01\0\0\0\0\0\0"s +
                                               "\x02\x06source\x01"
                                               "a\x03isp\x03x:y"s +
                                               "\xff\x5d\xd0\xb2\0\0\0\0"s);
}

TEST_CASE("mapping: tags go into each type that holds them") {
    const OwnedRow row = point_row();
    const auto tags = [&row](std::initializer_list<std::array<const char*, 2>> columns) {
        std::vector<Column> all = table(columns);
        for (const char* name : {"m", "t", "v", "i"}) {
            const char* const type = *name == 'm' ? "String" : "UInt64";
            all.push_back({.name = name, .type_text = type, .type = parse_type(type)});
        }
        const Mapping mapping = map_points(all, std::vector<std::string>{"m", "t", "v", "X", "i"});
        const std::string octets = written(row, mapping);
        return octets.substr(12 + 16, octets.size() - 12 - 16 - 8);
    };
    const std::string keys = "\x02\x06source\x03isp"s;
    const std::string values =
        "\x02\x01"
        "a\x03x:y"s;
    CHECK(tags({{"X.Key", "Array(String)"}, {"X.Value", "Array(String)"}}) == keys + values);
    CHECK(tags({{"X.1", "Array(String)"}, {"X.2", "Array(String)"}}) == keys + values);
    CHECK(tags({{"X.Value", "Array(String)"}, {"X.Key", "Array(String)"}}) == keys + values);
    CHECK(tags({{"X", "Array(String)"}}) == "\x02\x08source:a\x07isp:x:y"s);
    CHECK(tags({{"X", "String"}}) == "\x1a{\"source\":\"a\",\"isp\":\"x:y\"}"s);
    CHECK(tags({{"X", "Array(Tuple(String, String))"}}) ==
          "\x02\x06source\x01"
          "a\x03isp\x03x:y"s);
}

TEST_CASE("mapping: times go into each type that holds them, rounded down") {
    latmon_sample_t sample{};
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.time_ns = 1'999'999'999;
    const auto time = [&sample](const char* type) {
        return written(sample_row(sample), map_samples(table({{"time", type}})));
    };
    CHECK(time("DateTime") == "\1\0\0\0"s);
    CHECK(time("DateTime64(3)") == "\xcf\x07\0\0\0\0\0\0"s);
    CHECK(time("DateTime64(0)") == "\1\0\0\0\0\0\0\0"s);
    CHECK(time("UInt64") == "\xff\x93\x35\x77\0\0\0\0"s);
    CHECK(time("Nullable(DateTime)") == "\0\1\0\0\0"s);
    sample.time_ns = -1;
    CHECK(time("DateTime") == "\0\0\0\0"s);
    CHECK(time("DateTime64(3)") == "\xff\xff\xff\xff\xff\xff\xff\xff"s);
}

TEST_CASE("mapping: a value that is not there is NULL, and nothing stands for it") {
    latmon_sample_t lost{};
    lost.kind = LATMON_KIND_EXCHANGE;
    lost.status = LATMON_STATUS_LOST;
    const Mapping mapping = map_samples(table({{"status", "LowCardinality(String)"},
                                               {"rtt_ns", "Nullable(Int64)"},
                                               {"sequence", "Nullable(UInt32)"}}));
    CHECK(written(sample_row(lost), mapping) == "\4lost\1\1"s);
    lost.valid = LATMON_HAS_RTT | LATMON_HAS_SEQUENCE;
    lost.rtt_ns = -2;
    lost.sequence = 7;
    CHECK(written(sample_row(lost), mapping) ==
          "\4lost\0\7\0\0\0\0\xfe\xff\xff\xff\xff\xff\xff\xff"s);
}

TEST_CASE("mapping: without NULL a table needs the mask") {
    const Mapping bare = map_samples(table({{"time", "DateTime"}, {"rtt_ns", "Int64"}}));
    CHECK(bare.error ==
          "column rtt_ns cannot say that there is no value: make it Nullable, or add "
          "a column valid UInt32");
    const Mapping masked = map_samples(table({{"rtt_ns", "Int64"}, {"valid", "UInt32"}}));
    latmon_sample_t lost{};
    CHECK(written(sample_row(lost), masked) == std::string(12, '\0'));
}

TEST_CASE("mapping: a type that could lose a value is refused with column, type and cure") {
    CHECK(map_samples(table({{"rtt_ns", "Nullable(UInt64)"}})).error ==
          "column rtt_ns is Nullable(UInt64), which cannot hold rtt_ns: make it Int64 or Float64");
    for (const auto& [name, type] :
         std::initializer_list<std::array<const char*, 2>>{{"time", "Float64"},
                                                           {"time", "UInt32"},
                                                           {"kind", "UInt8"},
                                                           {"valid", "UInt16"},
                                                           {"valid", "Int32"},
                                                           {"tags", "UInt8"},
                                                           {"rtt_ns", "Nullable(Int32)"},
                                                           {"blame", "String"},
                                                           {"port", "Int16"},
                                                           {"time", "Date"},
                                                           {"value", "Nullable(Float32)"}}) {
        CAPTURE(name);
        CAPTURE(type);
        CHECK(map_samples(table({{name, type}})).error.starts_with("column "s + name + " is "));
    }
}

TEST_CASE("mapping: columns of others are left alone, those of ours that are not there are told") {
    const Mapping mapping = map_samples(table({{"extra", "Decimal(9, 2)"}, {"time_ns", "Int64"}}));
    CHECK(mapping.error.empty());
    CHECK(mapping.columns == std::vector<std::string>{"time_ns"});
    CHECK(mapping.missing.size() == sample_fields().size() - 2);
    CHECK(std::find(mapping.missing.begin(), mapping.missing.end(), "time") ==
          mapping.missing.end());
    CHECK_FALSE(map_samples(table({{"extra", "UInt8"}})).error.empty());
}

TEST_CASE("mapping: a column that the server computes is neither written nor missed") {
    std::vector<Column> columns = table({{"time", "DateTime"}, {"time_ns", "Int64"}});
    columns[1].is_writable = false;
    const Mapping mapping = map_samples(columns);
    CHECK(mapping.columns == std::vector<std::string>{"time"});
    CHECK(mapping.missing.size() == sample_fields().size() - 2);
}

TEST_CASE("mapping: a point's column that is not there is named with its meaning") {
    const Mapping mapping = map_points(table({{"MetricName", "String"},
                                              {"Timestamp", "UInt64"},
                                              {"MetricValue", "UInt64"},
                                              {"Tags", "String"}}),
                                       point_columns);
    CHECK(mapping.error ==
          "there is no column InsertedAt, for the time of insertion: add it, or "
          "name another in columns");
}

TEST_CASE("mapping: blame is words, or bits") {
    latmon_sample_t sample{};
    sample.blame = LATMON_BLAME_SENT_LATE | LATMON_BLAME_OVERFLOW;
    CHECK(written(sample_row(sample), map_samples(table({{"blame", "Array(String)"}}))) ==
          "\2\x09sent_late\x08overflow"s);
    CHECK(written(sample_row(sample), map_samples(table({{"blame", "UInt32"}}))) == "\x09\0\0\0"s);
}

TEST_CASE("mapping: addresses and errors are text, a counter has no status") {
    latmon_sample_t sample{};
    sample.kind = LATMON_KIND_NODE;
    sample.valid = LATMON_HAS_PEER | LATMON_HAS_ERROR;
    sample.peer_address[10] = sample.peer_address[11] = 0xFF;
    sample.peer_address[12] = 192;
    sample.peer_address[15] = 255;
    sample.error = 111;
    const Mapping mapping = map_samples(
        table({{"status", "String"}, {"peer_address", "String"}, {"error_name", "String"}}));
    CHECK(written(sample_row(sample), mapping) == "\0\x0b"s + "192.0.0.255\x0c"s + "ECONNREFUSED");
    sample.peer_address[0] = 0x20;
    CHECK(written(sample_row(sample), mapping).find("2000::ffff:c000:ff") != std::string::npos);
    sample.valid = 0;
    CHECK(written(sample_row(sample), mapping) == "\0\0\0"s);
}

}  // namespace
}  // namespace latmon::plugins::clickhouse
