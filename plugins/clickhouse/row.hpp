// SPDX-License-Identifier: Apache-2.0
//
// A row between the thread that takes samples and the one that knows the table: self-contained
// octets, for they may wait in a spool for another process. Strings are those of RowBinary (a
// LEB128 length and octets), so that most of them are copied once more and never looked at.
//
//   row      shape (1 octet), length of the rest (LEB128), labels, values
//   labels   port (2), name, source, target, host, number of tags (LEB128), key, value, key, ...
//   values   of a sample: the fields that always hold a value, then those that `valid` names
//            of a point:  time, value and time of taking, 8 octets each
//
// Numbers are little-endian. The shape changes with the layout; what is of another shape is skipped
// by its length. Pure; any thread.
#pragma once

#include <latmon/sample.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace latmon::plugins::clickhouse {

// What a row is of: a sample as it is, or what the ancestor would have said of it.
enum class Shape : std::uint8_t { sample = 'S', point = 'P' };

// What of a row does not change from sample to sample, ready to be copied into it.
struct Labels {
    std::uint16_t port = 0;
    std::string_view name{};  // Of a counter; of a point the metric.
    std::string_view source{};
    std::string_view target{};
    std::string_view host{};
};
using Tag = std::pair<std::string_view, std::string_view>;
void append_labels(std::string& out, const Labels& labels, std::span<const Tag> tags);

// Of a sample, and of a point: `labels` as append_labels() made them.
void append_sample(std::string& out, const latmon_sample_t& sample, std::string_view labels);

struct Point {
    std::int64_t time_ns = 0;
    std::int64_t value_ns = 0;
    std::int64_t taken_ns = 0;  // When latmon took it: CLOCK_REALTIME, since 1970.
};
void append_point(std::string& out, const Point& point, std::string_view labels);

// A row that was read. Views into what it was read from. A point is a sample with nothing but
// time_ns and `value`.
struct Row {
    Shape shape = Shape::sample;
    latmon_sample_t sample{};
    std::int64_t taken_ns = 0;
    Labels labels;
    std::uint32_t tag_count = 0;
    std::string_view tags;  // tag_count times a key and a value, each a string of RowBinary.
};

enum class ReadResult : std::uint8_t {
    row,      // `row` is filled.
    foreign,  // Well-formed, of a shape that is not known: skipped.
    broken    // No row begins here, and where the next one does cannot be told.
};

// Reads the row at the front of `octets` and takes it off, but for `broken`.
[[nodiscard]] ReadResult read_row(std::string_view& octets, Row& row);

// -- Strings of RowBinary -------------------------------------------------------------------------

void append_length(std::string& out, std::uint64_t length);  // LEB128
void append_string(std::string& out, std::string_view text);

// Takes a string off the front of `octets`. False, and nothing changed, if there is none.
[[nodiscard]] bool take_length(std::string_view& octets, std::uint64_t& length);
[[nodiscard]] bool take_string(std::string_view& octets, std::string_view& text);

}  // namespace latmon::plugins::clickhouse
