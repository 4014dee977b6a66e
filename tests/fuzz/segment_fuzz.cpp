// SPDX-License-Identifier: Apache-2.0
//
// Whatever a spool's files may hold: reading a segment or a position must not crash, records lie
// within what was read, and what is sound is what append_segment_record() and format_position()
// write. A libFuzzer target.
#include "push/position.hpp"
#include "push/segment.hpp"

#include "base/assert.hpp"

namespace latmon::plugins::push {
namespace {

void check_segment(std::string_view octets) {
    SegmentReader reader(octets);
    std::size_t before = 0;
    std::uint64_t records = 0;
    while (const std::optional<SegmentRecord> record = reader.next()) {
        std::string again;
        append_segment_record(again, {record->rows, std::string(record->payload)});
        LATMON_ASSERT(reader.offset() >= before + again.size());
        LATMON_ASSERT(octets.substr(reader.offset() - again.size(), again.size()) == again);
        before = reader.offset();
        ++records;
    }
    LATMON_ASSERT(reader.offset() == before && before <= octets.size());
    LATMON_ASSERT(reader.corrupt() <= records);
    LATMON_ASSERT(!(reader.is_torn() && reader.is_corrupt_at_end()));
    LATMON_ASSERT((before < octets.size()) == (reader.is_torn() || reader.is_corrupt_at_end()));
    LATMON_ASSERT(!reader.next());
}

void check_position(std::string_view text) {
    const std::optional<SpoolPosition> position = parse_position(text);
    if (!position) return;
    const std::optional<SpoolPosition> again = parse_position(format_position(*position));
    LATMON_ASSERT(again == position);
}

}  // namespace
}  // namespace latmon::plugins::push

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view octets(reinterpret_cast<const char*>(data), size);
    latmon::plugins::push::check_segment(octets);
    latmon::plugins::push::check_position(octets);
    return 0;
}
