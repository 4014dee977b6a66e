// SPDX-License-Identifier: Apache-2.0
//
// Rows on their way between two threads, or through a spool into another process.
#include "clickhouse/row.hpp"

#include <doctest/doctest.h>
#include <cstring>

namespace latmon::plugins::clickhouse {
namespace {

std::string some_labels() {
    std::string labels;
    const Tag tags[] = {{"isp", "local"}, {"url", "http://[::1]:80"}, {"", ""}};
    append_labels(labels, {.port = 8001, .name = "n", .source = "a", .target = "b", .host = "c"},
                  tags);
    return labels;
}

// Every field holds a value of its own, as a number and as an array of octets.
latmon_sample_t full_sample() {
    latmon_sample_t sample{};
    std::uint8_t* const octets = reinterpret_cast<std::uint8_t*>(&sample);
    for (std::size_t index = 0; index < sizeof(sample); ++index) {
        octets[index] = static_cast<std::uint8_t>(index);
    }
    sample.valid = (1U << 28) - 1;
    sample.series_id = 0;
    std::memset(sample.reserved, 0, sizeof(sample.reserved));
    std::memset(sample.reserved2, 0, sizeof(sample.reserved2));
    return sample;
}

TEST_CASE("row: a sample with all that it can hold comes back octet for octet") {
    const latmon_sample_t sample = full_sample();
    std::string octets;
    append_sample(octets, sample, some_labels());
    std::string_view rest = octets;
    Row row;
    REQUIRE(read_row(rest, row) == ReadResult::row);
    CHECK(rest.empty());
    CHECK(row.shape == Shape::sample);
    CHECK(std::memcmp(&row.sample, &sample, sizeof(sample)) == 0);
}

TEST_CASE("row: what has no value takes no room and comes back as zero") {
    latmon_sample_t sample = full_sample();
    std::string full;
    append_sample(full, sample, "");
    sample.valid = LATMON_HAS_SEQUENCE;
    std::string lean;
    append_sample(lean, sample, some_labels());
    CHECK(lean.size() < 100);
    std::string_view rest = lean;
    Row row;
    REQUIRE(read_row(rest, row) == ReadResult::row);
    CHECK(row.sample.sequence == sample.sequence);
    CHECK(row.sample.rtt_ns == 0);
    CHECK(row.sample.time_ns == sample.time_ns);
}

TEST_CASE("row: labels come back, tags as strings of RowBinary") {
    std::string octets;
    append_point(octets, {.time_ns = 1, .value_ns = -2, .taken_ns = 3}, some_labels());
    std::string_view rest = octets;
    Row row;
    REQUIRE(read_row(rest, row) == ReadResult::row);
    CHECK(row.shape == Shape::point);
    CHECK(row.sample.time_ns == 1);
    CHECK(row.sample.value == -2);
    CHECK(row.taken_ns == 3);
    CHECK(row.labels.port == 8001);
    CHECK(row.labels.name == "n");
    CHECK(row.labels.source == "a");
    CHECK(row.labels.target == "b");
    CHECK(row.labels.host == "c");
    CHECK(row.tag_count == 3);
    CHECK(row.tags == std::string_view("\3isp\5local\3url\x0fhttp://[::1]:80\0\0", 32));
}

TEST_CASE("row: a bit of valid that has no field here is not carried") {
    latmon_sample_t sample{};
    sample.valid = 1U << 31;
    std::string octets;
    append_sample(octets, sample, some_labels());
    std::string_view rest = octets;
    Row row;
    REQUIRE(read_row(rest, row) == ReadResult::row);
    CHECK(row.sample.valid == 0);
}

TEST_CASE("row: cut anywhere it is broken, never read beyond its end") {
    std::string octets;
    append_sample(octets, full_sample(), some_labels());
    for (std::size_t size = 0; size < octets.size(); ++size) {
        const std::string cut = octets.substr(0, size);
        std::string_view rest = cut;
        Row row;
        CHECK(read_row(rest, row) == ReadResult::broken);
        CHECK(rest.size() == size);
    }
}

TEST_CASE("row: one of a shape that is not known is skipped, and the next is read") {
    std::string octets = "Z\3abc";
    append_point(octets, {.value_ns = 7}, some_labels());
    std::string_view rest = octets;
    Row row;
    CHECK(read_row(rest, row) == ReadResult::foreign);
    REQUIRE(read_row(rest, row) == ReadResult::row);
    CHECK(row.sample.value == 7);
}

TEST_CASE("row: one that says more or less than its length is not taken") {
    std::string octets;
    append_point(octets, {}, some_labels());
    std::string longer = octets + "x";
    ++longer[1];
    std::string shorter = octets;
    --shorter[1];
    for (const std::string& spoiled : {longer, shorter}) {
        std::string_view rest = spoiled;
        Row row;
        CHECK(read_row(rest, row) == ReadResult::foreign);
    }
}

TEST_CASE("row: lengths are LEB128") {
    std::string octets;
    append_length(octets, 127);
    append_length(octets, 128);
    append_length(octets, 300);
    CHECK(octets == std::string("\x7f\x80\x01\xac\x02"));
    std::string_view rest = "\x80\x80\x80\x80\x80\x80\x01";
    std::uint64_t length = 0;
    CHECK_FALSE(take_length(rest, length));
}

}  // namespace
}  // namespace latmon::plugins::clickhouse
