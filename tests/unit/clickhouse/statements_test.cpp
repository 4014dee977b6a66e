// SPDX-License-Identifier: Apache-2.0
//
// SQL and addresses, and the schemas that are compiled in.
#include "clickhouse/statements.hpp"
#include "clickhouse/column_type.hpp"
#include "clickhouse/fields.hpp"
#include "clickhouse/schema_texts.hpp"

#include <doctest/doctest.h>
#include <string>

namespace latmon::plugins::clickhouse {
namespace {

constexpr ServerVersion old_version{.major = 18, .minor = 16};

// The columns of a CREATE TABLE of ours: one to a line, between two lines with a parenthesis.
std::vector<Column> columns_of(const std::string& statement) {
    std::string description;
    std::size_t at = statement.find("\n(\n") + 3;
    while (statement[at] != ')') {
        const std::size_t end = statement.find('\n', at);
        std::string line = statement.substr(at, end - at);
        at = end + 1;
        line.erase(0, line.find_first_not_of(' '));
        if (line.ends_with(',')) line.pop_back();
        const std::string name = line.substr(0, line.find(' '));
        std::string type = line.substr(line.find(' ') + 1);
        for (const char* end_word : {" CODEC", " ALIAS", " DEFAULT"}) {
            type = type.substr(0, type.find(end_word));
        }
        const bool is_alias = line.find(" ALIAS ") != std::string::npos;
        description += name + "\t" + type + "\t" + (is_alias ? "ALIAS" : "") + "\n";
    }
    return parse_description(description);
}

TEST_CASE("statements: versions are told and compared") {
    CHECK(parse_version("18.16.1\n") == old_version);
    CHECK(parse_version("24.8.4.13") > modern_version);
    CHECK(parse_version("22.2.2.1") >= modern_version);
    CHECK(parse_version("22.1.9") < modern_version);
    for (const char* text : {"", "x", "18", "18.", ".1", "<html>"}) {
        CHECK(parse_version(text) == ServerVersion{});
    }
}

TEST_CASE("statements: a name cannot leave its quotes") {
    CHECK(quoted("a`; DROP TABLE x") == "`a\\`; DROP TABLE x`");
    CHECK(quoted("back\\") == "`back\\\\`");
    CHECK(quoted_table("t") == "`t`");
    CHECK(quoted_table("db.t.u") == "`db`.`t.u`");
    const std::string columns[] = {"a", "b.c"};
    CHECK(insert_statement("t", columns) == "INSERT INTO `t` (`a`, `b.c`) FORMAT RowBinary");
}

TEST_CASE("statements: an address holds only what it may") {
    CHECK(url_encoded("a-Z_0.~") == "a-Z_0.~");
    CHECK(url_encoded("`a b`&\xc3\xbc%") == "%60a%20b%60%26%C3%BC%25");
}

TEST_CASE("statements: each schema has a table for each shape, with a type for every field") {
    for (const ServerVersion version : {old_version, modern_version}) {
        const std::string samples = create_statement(version, SchemaTable::samples, "db.mine");
        CHECK(samples.starts_with("CREATE TABLE IF NOT EXISTS `db`.`mine`\n(\n"));
        CHECK(samples.find("ENGINE = MergeTree") != std::string::npos);
        CHECK(samples.find(';') == std::string::npos);
        const std::vector<Column> columns = columns_of(samples);
        CHECK(columns.size() == sample_fields().size());
        for (const Column& column : columns) {
            CAPTURE(column.name);
            CHECK(column.type.base != ColumnType::Base::unknown);
        }
        for (const Field& field : sample_fields()) {
            CAPTURE(field.name);
            const std::string line = "    " + std::string(field.name) + " ";
            CHECK(samples.find(line) != std::string::npos);
        }
        const std::string points = create_statement(version, SchemaTable::points, "m");
        CHECK(points.starts_with("CREATE TABLE IF NOT EXISTS `m`\n(\n    MetricName "));
    }
    CHECK(schema_file(old_version) == "contrib/clickhouse/schema-18.16.sql");
    CHECK(schema_file(modern_version) == "contrib/clickhouse/schema.sql");
}

TEST_CASE("statements: in the view of minutes every probe is answered, or lost here or elsewhere") {
    for (const std::string_view schema : {schema_text, schema_old_text}) {
        CHECK(schema.find("status NOT IN ('late', 'duplicate', 'invalid', 'local_error')") !=
              std::string_view::npos);
        CHECK(schema.find("status IN ('ok', 'reordered')") != std::string_view::npos);
        CHECK(schema.find("status IN ('lost', 'lost_forward', 'lost_reverse', 'unreachable')") !=
              std::string_view::npos);
        CHECK(schema.find("status IN ('lost_local_tx', 'lost_local_rx')") !=
              std::string_view::npos);
    }
}

}  // namespace
}  // namespace latmon::plugins::clickhouse
