// SPDX-License-Identifier: Apache-2.0
//
// What a table is asked about a block, by which of its columns.
#include "clickhouse/question.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::clickhouse {
namespace {

Question of_samples(std::string_view description) {
    return question_of(map_samples(parse_description(description)), "t");
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("question: a table is asked by the columns that tell rows apart, and no others") {
    const Question question = of_samples(
        "time\tDateTime\t\t\ntime_ns\tInt64\t\t\nkind\tLowCardinality(String)\t\t\n"
        "sequence\tNullable(UInt32)\t\t\nowd_fwd_ns\tNullable(Int64)\t\t\n"
        "tags\tMap(String, String)\t\t\nblame\tArray(String)\t\t\n");
    CHECK(question.structure == "n Int64,c0 DateTime,c1 Int64,c2 String,c3 Nullable(UInt32)");
    REQUIRE(question.slots.size() == 4);
    const std::string& text = question.statement;
    CHECK(has(text, "cityHash64(c0, c1, c2, isNull(c3), ifNull(c3, 0))"));
    CHECK(has(text,
              "sipHash64(`time`, `time_ns`, `kind`, isNull(`sequence`), "
              "ifNull(`sequence`, 0))"));
    CHECK(has(text,
              "FROM `t` WHERE `time` >= (SELECT min(c0) FROM latmon_block) AND "
              "`time` <= (SELECT max(c0) FROM latmon_block) AND `time_ns` >= "));
    CHECK(has(text, "`kind` IN (SELECT c2 FROM latmon_block)"));
}

TEST_CASE("question: types have no blank and no comma, which old servers split at") {
    const Question question = of_samples(
        "time\tDateTime64(9, 'Europe/Berlin')\t\t\nrtt_ns\tNullable(Float64)\t\t\n"
        "source\tLowCardinality(Nullable(String))\t\t\n");
    CHECK(question.structure ==
          "n Int64,c0 DateTime64(9),c1 Nullable(String),c2 Nullable(Float64)");
    CHECK(has(question.statement, "ifNull(`source`, '')"));
}

TEST_CASE("question: where the time is not kept to the nanosecond, rows are alike: none is asked") {
    CHECK(of_samples("time\tDateTime\t\t\nstatus\tString\t\t\n").statement.empty());
    CHECK(of_samples("time\tDateTime64(6)\t\t\n").statement.empty());
    CHECK(of_samples("time\tNullable(DateTime64(9))\t\t\n").statement.empty());
    CHECK_FALSE(of_samples("time\tDateTime64(9)\t\t\n").statement.empty());
    CHECK_FALSE(of_samples("time_ns\tUInt64\t\t\n").statement.empty());
}

TEST_CASE("question: a point is all of its columns, and its tags are two lists of any type") {
    static const std::vector<std::string> names{"a", "b", "c", "d", "e"};
    const auto ask = [](const std::string& tags) {
        const std::string description =
            "a\tString\t\t\nb\tUInt64\t\t\nc\tUInt64\t\t\n" + tags + "e\tDateTime64(9)\t\t\n";
        return question_of(map_points(parse_description(description), names), "t");
    };
    const std::string structure =
        "n Int64,c0 String,c1 UInt64,c2 UInt64,c3 Array(String),c4 Array(String),c5 DateTime64(9)";
    const Question map = ask("d\tMap(LowCardinality(String), String)\t\t\n");
    CHECK(map.structure == structure);
    CHECK(has(map.statement, "toString(mapKeys(`d`)), toString(mapValues(`d`))"));
    const Question nested = ask("d.k\tArray(String)\t\t\nd.v\tArray(String)\t\t\n");
    CHECK(nested.structure == structure);
    CHECK(has(nested.statement, "toString(`d.k`), toString(`d.v`)"));
    CHECK(nested.slots[3].encoding == Encoding::tag_keys);
    CHECK(nested.slots[4].encoding == Encoding::tag_values);
    const Question pairs = ask("d\tArray(Tuple(String, String))\t\t\n");
    CHECK(pairs.structure == structure);
    CHECK(has(pairs.statement, "toString(arrayMap(x -> tupleElement(x, 2), `d`))"));
    // The time of insertion alone is no nanosecond of the sample's.
    const char* const coarse =
        "a\tString\t\t\nb\tDateTime\t\t\nc\tUInt64\t\t\nd\tString\t\t\n"
        "e\tDateTime64(9)\t\t\n";
    CHECK(question_of(map_points(parse_description(coarse), names), "t").statement.empty());
}

TEST_CASE("question: a row of external data is its number and the values of the columns") {
    const Question question = of_samples("time\tDateTime64(9)\t\t\nsequence\tNullable(UInt32)\t\n");
    Row row;
    row.sample.time_ns = 1;
    std::string out;
    append_question_row(out, 258, row, question);
    CHECK(out == std::string("\2\1\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1", 17));
}

}  // namespace
}  // namespace latmon::plugins::clickhouse
