// SPDX-License-Identifier: Apache-2.0
//
// A length is believed only once the CRC over it and over the payload fits: a spoiled one points
// anywhere.
#include "push/segment.hpp"

#include "push/gzip.hpp"

#include <array>
#include <cstdio>

namespace latmon::plugins::push {
namespace {

constexpr std::string_view magic = "LMR1";

void append_u32(std::string& out, std::uint32_t value) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
        out += static_cast<char>(value >> shift & 0xFFU);
    }
}

std::uint32_t read_u32(std::string_view octets, std::size_t offset) noexcept {
    std::uint32_t value = 0;
    for (unsigned index = 0; index < 4; ++index) {
        value |= static_cast<std::uint32_t>(static_cast<unsigned char>(octets[offset + index]))
                 << 8 * index;
    }
    return value;
}

}  // namespace

std::string segment_name(std::uint64_t number) {
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), "%08llu.seg", static_cast<unsigned long long>(number));
    return name.data();
}

void append_segment_record(std::string& out, const Record& record) {
    std::string sizes;
    append_u32(sizes, static_cast<std::uint32_t>(record.payload.size()));
    append_u32(sizes, record.rows);
    out += magic;
    out += sizes;
    append_u32(out, crc32(record.payload, crc32(sizes)));
    out += record.payload;
}

std::optional<SegmentRecord> SegmentReader::read_at(std::size_t offset) const noexcept {
    const std::string_view rest = octets_.substr(offset);
    if (rest.size() < record_head_octets || !rest.starts_with(magic)) return std::nullopt;
    const std::size_t length = read_u32(rest, 4);
    if (length > rest.size() - record_head_octets) return std::nullopt;
    const std::string_view payload = rest.substr(record_head_octets, length);
    if (crc32(payload, crc32(rest.substr(4, 8))) != read_u32(rest, 12)) return std::nullopt;
    return SegmentRecord{.rows = read_u32(rest, 8), .payload = payload};
}

std::optional<SegmentRecord> SegmentReader::next() noexcept {
    std::optional<SegmentRecord> record;
    std::size_t at = offset_;
    while (at < octets_.size()) {
        record = read_at(at);
        if (record) break;
        at = octets_.find(magic, at + 1);
    }
    if (!record) return std::nullopt;
    if (at != offset_) ++corrupt_;
    offset_ = at + record_head_octets + record->payload.size();
    return record;
}

bool SegmentReader::is_torn() const noexcept {
    const std::string_view rest = octets_.substr(offset_);
    if (rest.empty()) return false;
    if (rest.size() < magic.size()) return magic.starts_with(rest);
    if (!rest.starts_with(magic)) return false;
    return rest.size() < record_head_octets || read_u32(rest, 4) > rest.size() - record_head_octets;
}

}  // namespace latmon::plugins::push
