// SPDX-License-Identifier: Apache-2.0
//
// A segment that is whole, cut at every octet, and spoiled at every octet.
#include "push/segment.hpp"

#include <doctest/doctest.h>
#include <vector>

namespace latmon::plugins::push {
namespace {

const std::vector<Record> originals{{1, "one"}, {22, std::string(50, '2')}, {3, ""}, {4, "LMR1"}};

std::string whole() {
    std::string octets;
    for (const Record& record : originals) {
        append_segment_record(octets, record);
    }
    return octets;
}

// Rows of the sound records, in order.
std::vector<std::uint32_t> rows_of(SegmentReader& reader) {
    std::vector<std::uint32_t> rows;
    while (const std::optional<SegmentRecord> record = reader.next()) {
        rows.push_back(record->rows);
    }
    return rows;
}

TEST_CASE("segment: what was written is read") {
    const std::string octets = whole();
    SegmentReader reader(octets);
    for (const Record& original : originals) {
        const std::optional<SegmentRecord> record = reader.next();
        REQUIRE(record.has_value());
        CHECK(record->rows == original.rows);
        CHECK(record->payload == original.payload);
    }
    CHECK_FALSE(reader.next().has_value());
    CHECK(reader.offset() == octets.size());
    CHECK(reader.corrupt() == 0);
    CHECK_FALSE(reader.is_torn());
    CHECK_FALSE(reader.is_corrupt_at_end());
}

TEST_CASE("segment: the octets of a record never change") {
    std::string octets;
    append_segment_record(octets, {0x01020304, "abc"});
    CHECK(octets.substr(0, 4) == "LMR1");
    CHECK(octets.substr(4, 4) == std::string("\x03\0\0\0", 4));
    CHECK(octets.substr(8, 4) == "\x04\x03\x02\x01");
    CHECK(octets.substr(12, 4) == "\x85\x2D\xA7\x88");
    CHECK(octets.substr(16) == "abc");
}

TEST_CASE("segment: cut anywhere, the records before are sound and one at most is torn") {
    const std::string octets = whole();
    std::size_t begin = 0;
    std::size_t index = 0;
    std::size_t end = record_head_octets + originals[0].payload.size();
    for (std::size_t length = 0; length <= octets.size(); ++length) {
        CAPTURE(length);
        if (length == end && index < originals.size()) {
            begin = end;
            ++index;
            if (index < originals.size()) {
                end += record_head_octets + originals[index].payload.size();
            }
        }
        SegmentReader reader(std::string_view(octets).substr(0, length));
        CHECK(rows_of(reader).size() == index);
        CHECK(reader.offset() == begin);
        CHECK(reader.is_torn() == (length != begin));
        CHECK(reader.corrupt() == 0);
        CHECK_FALSE(reader.is_corrupt_at_end());
    }
}

TEST_CASE("segment: one spoiled octet costs its record, is noticed, and costs no other") {
    const std::string octets = whole();
    for (std::size_t at = 0; at < octets.size(); ++at) {
        for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
            CAPTURE(at);
            CAPTURE(flip);
            std::string spoiled = octets;
            spoiled[at] = static_cast<char>(static_cast<unsigned char>(spoiled[at]) ^ flip);
            SegmentReader reader(spoiled);
            std::vector<std::uint32_t> expected;
            std::size_t end = 0;
            for (const Record& record : originals) {
                const std::size_t begin = end;
                end += record_head_octets + record.payload.size();
                if (at < begin || at >= end) expected.push_back(record.rows);
            }
            CHECK(rows_of(reader) == expected);
            const std::uint64_t noticed = reader.corrupt() + (reader.is_torn() ? 1U : 0U) +
                                          (reader.is_corrupt_at_end() ? 1U : 0U);
            CHECK(noticed == 1);
        }
    }
}

TEST_CASE("segment: octets that mean nothing are one corrupt end") {
    SegmentReader reader("this was never a segment, LMR1 or not");
    CHECK_FALSE(reader.next().has_value());
    CHECK(reader.offset() == 0);
    CHECK(reader.is_corrupt_at_end());
    CHECK_FALSE(reader.is_torn());
}

TEST_CASE("segment: names sort as their numbers do") {
    CHECK(segment_name(1) == "00000001.seg");
    CHECK(segment_name(123'456'789) == "123456789.seg");
}

}  // namespace
}  // namespace latmon::plugins::push
