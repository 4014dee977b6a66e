// SPDX-License-Identifier: Apache-2.0
//
// Types as servers of many ages write them.
#include "clickhouse/column_type.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::clickhouse {
namespace {

using Base = ColumnType::Base;

TEST_CASE("type: each that can be written is told") {
    CHECK(parse_type("String").base == Base::string);
    CHECK(parse_type("LowCardinality(String)").base == Base::string);
    CHECK(parse_type("Float64").base == Base::float64);
    CHECK(parse_type("DateTime").base == Base::date_time);
    CHECK(parse_type("DateTime('Europe/Berlin')").base == Base::date_time);
    CHECK(parse_type("Array(String)").base == Base::string_array);
    CHECK(parse_type("Array(LowCardinality(String))").base == Base::string_array);
    for (const char* text :
         {"Map(String, String)", "Map(LowCardinality(String), String)",
          "Array(Tuple(String, String))", "Array(Tuple(key String, value LowCardinality(String)))",
          "Nested(Key String, Value String)"}) {
        CAPTURE(text);
        CHECK(parse_type(text).base == Base::string_map);
    }
}

TEST_CASE("type: integers have their width and sign") {
    CHECK(parse_type("UInt8").bits == 8);
    CHECK(parse_type("Int64").bits == 64);
    CHECK(parse_type("Int64").is_signed);
    CHECK_FALSE(parse_type("UInt64").is_signed);
    CHECK(parse_type("UInt64").base == Base::integer);
    CHECK(parse_type("Int128").base == Base::unknown);
}

TEST_CASE("type: DateTime64 has its precision") {
    const ColumnType type = parse_type("DateTime64(3, 'UTC')");
    CHECK(type.base == Base::date_time64);
    CHECK(type.precision == 3);
    CHECK(parse_type("DateTime64(9)").precision == 9);
    CHECK(parse_type("DateTime64(10)").base == Base::unknown);
    CHECK(parse_type("DateTime64(x)").base == Base::unknown);
}

TEST_CASE("type: Nullable and LowCardinality come off in any order") {
    CHECK(parse_type("Nullable(Int64)").is_nullable);
    CHECK(parse_type("Nullable(Int64)").base == Base::integer);
    const ColumnType low = parse_type("LowCardinality(Nullable(String))");
    CHECK(low.is_nullable);
    CHECK(low.base == Base::string);
}

TEST_CASE("type: what cannot be written, or is no type, is unknown") {
    for (const char* text :
         {"", "UInt", "Decimal(9, 2)", "Array(UInt8)", "Map(String, UInt64)", "Tuple(String)",
          "Array(Nullable(String))", "Nullable(Nullable(Int64", "Array(", "Nested()", "((((",
          "Nullable(", "LowCardinality()", "Enum8('ok' = 1)"}) {
        CAPTURE(text);
        CHECK(parse_type(text).base == Base::unknown);
    }
}

TEST_CASE("description: names, types and what may not be written") {
    const std::vector<Column> columns = parse_description(
        "MetricName\tString\t\t\n"
        "time\tDateTime(\\'UTC\\')\t\t\n"
        "odd\\tname\\\\\tUInt8\tDEFAULT\t30\t\t\t\n"
        "alias\tInt64\tALIAS\ttoInt64(time)\n"
        "stored\tInt64\tMATERIALIZED\t1\n"
        "\n"
        "no type\n");
    REQUIRE(columns.size() == 5);
    CHECK(columns[0].name == "MetricName");
    CHECK(columns[0].is_writable);
    CHECK(columns[1].type_text == "DateTime('UTC')");
    CHECK(columns[1].type.base == Base::date_time);
    CHECK(columns[2].name == "odd\tname\\");
    CHECK(columns[2].is_writable);
    CHECK_FALSE(columns[3].is_writable);
    CHECK_FALSE(columns[4].is_writable);
}

}  // namespace
}  // namespace latmon::plugins::clickhouse
