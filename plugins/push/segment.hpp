// SPDX-License-Identifier: Apache-2.0
//
// Records in the files of a spool. Pure; any thread. A record, all numbers little-endian:
//
//   octets 0-3   magic "LMR1"
//          4-7   length of the payload
//          8-11  rows in it
//          12-15 CRC-32 (RFC 1952) of octets 4 to 11 and of the payload
//          16-   payload
//
// A record is written with one write(2): what a crash of ours leaves is a file whose last record
// may lack its end. Anything else that does not read is somebody else's doing.
#pragma once

#include "push/backend.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace latmon::plugins::push {

constexpr std::size_t record_head_octets = 16;

// The name of a segment's file: "00000001.seg". [any-thread]
[[nodiscard]] std::string segment_name(std::uint64_t number);

// Appends `record` as above to `out`. Its payload has fewer than 2^32 octets. [any-thread]
void append_segment_record(std::string& out, const Record& record);

struct SegmentRecord {
    std::uint32_t rows = 0;
    std::string_view payload;  // Into what is read.
};

// Goes through `octets`, a whole segment or a part of it that begins at a record.
class SegmentReader {
public:
    explicit SegmentReader(std::string_view octets) noexcept : octets_(octets) {}

    // The next sound record. What is spoiled is skipped up to the next sound one, and counted as
    // one corrupt place. nullopt at the end: then offset() is where the sound part ends, and
    // is_torn() and is_corrupt_at_end() say what follows.
    [[nodiscard]] std::optional<SegmentRecord> next() noexcept;

    // Behind the last record that next() returned.
    [[nodiscard]] std::size_t offset() const noexcept { return offset_; }
    // Places between sound records that did not read.
    [[nodiscard]] std::uint64_t corrupt() const noexcept { return corrupt_; }
    // What follows offset() is the beginning of a record that lacks its end.
    [[nodiscard]] bool is_torn() const noexcept;
    // Something follows offset(), and it is no such beginning.
    [[nodiscard]] bool is_corrupt_at_end() const noexcept {
        return offset_ < octets_.size() && !is_torn();
    }

private:
    [[nodiscard]] std::optional<SegmentRecord> read_at(std::size_t offset) const noexcept;

    std::string_view octets_;
    std::size_t offset_ = 0;
    std::uint64_t corrupt_ = 0;
};

}  // namespace latmon::plugins::push
