// SPDX-License-Identifier: Apache-2.0
//
// One row in RowBinary, as clickhouse.com/docs, "RowBinary", describes it: values one after the
// other in the order of the columns, little-endian; a Nullable has an octet in front, 1 for NULL.
#include "clickhouse/mapping.hpp"
#include "support/json.hpp"
#include "support/words.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace latmon::plugins::clickhouse {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

// Collects a row's many small values and hands them on together: an append() to a string for each
// would cost more than all else.
class Sink {
public:
    explicit Sink(std::string& out) : out_(out) {}
    ~Sink() { flush(); }
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;

    template <typename Number>
    void number(Number value) {
        if (sizeof(value) > room_.size() - used_) flush();
        std::memcpy(room_.data() + used_, &value, sizeof(value));
        used_ += sizeof(value);
    }
    void octet(unsigned value) { number(static_cast<std::uint8_t>(value)); }
    void octets(std::string_view text) {
        if (text.empty()) return;  // Its data() may be null.
        if (text.size() > room_.size() - used_) flush();
        if (text.size() > room_.size()) {
            out_ += text;
            return;
        }
        std::memcpy(room_.data() + used_, text.data(), text.size());
        used_ += text.size();
    }
    void length(std::uint64_t length) {
        for (; length >= 0x80; length >>= 7U) {
            octet(static_cast<unsigned>(length & 0x7FU) | 0x80U);
        }
        octet(static_cast<unsigned>(length));
    }
    void string(std::string_view text) {
        length(text.size());
        octets(text);
    }

private:
    void flush() {
        out_.append(room_.data(), used_);
        used_ = 0;
    }

    std::string& out_;
    std::size_t used_ = 0;
    std::array<char, 1024> room_;
};

std::int64_t floor_divided(std::int64_t value, std::int64_t by) noexcept {
    const std::int64_t quotient = value / by;
    return value % by < 0 ? quotient - 1 : quotient;
}

// DateTime reaches from 1970 to 2106; a clock that is elsewhere stops at its ends.
std::uint32_t date_time(std::int64_t time_ns) noexcept {
    const std::int64_t seconds = floor_divided(time_ns, second_ns);
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, UINT32_MAX));
}

void append_words(Sink& out, std::uint32_t bits) {
    out.length(static_cast<std::uint64_t>(std::popcount(bits)));
    for (std::uint32_t rest = bits; rest != 0; rest &= rest - 1) {
        out.string(blame_word(static_cast<unsigned>(std::countr_zero(rest))));
    }
}

// Calls with each key and value of the row.
template <typename Function>
void for_each_tag(const Row& row, Function&& function) {
    std::string_view rest = row.tags;
    std::string_view key;
    std::string_view value;
    while (take_string(rest, key) && take_string(rest, value)) {
        function(key, value);
    }
}

// A tag that was written without a colon has no value.
void append_tag(Sink& out, std::string_view key, std::string_view value) {
    out.length(key.size() + 1 + value.size());
    out.octets(key);
    out.octets(":");
    out.octets(value);
}

void append_json_tags(Sink& out, const Row& row) {
    std::string json = "{";
    for_each_tag(row, [&json](std::string_view key, std::string_view value) {
        if (json.size() > 1) json += ',';
        append_json_string(json, key);
        json += ':';
        append_json_string(json, value);
    });
    json += '}';
    out.string(json);
}

void append_tags(Sink& out, const Row& row, Encoding encoding) {
    if (encoding == Encoding::tag_json) {
        append_json_tags(out, row);
        return;
    }
    out.length(row.tag_count);
    if (encoding == Encoding::tag_map) {
        out.octets(row.tags);
        return;
    }
    for_each_tag(row, [&out, encoding](std::string_view key, std::string_view value) {
        switch (encoding) {
            case Encoding::tag_keys:
                out.string(key);
                break;
            case Encoding::tag_values:
                out.string(value);
                break;
            default:
                append_tag(out, key, value);
        }
    });
}

void append_integer_value(Sink& out, const Slot& slot, std::int64_t value) {
    switch (slot.encoding) {
        case Encoding::int8:
            out.number(static_cast<std::uint8_t>(value));
            break;
        case Encoding::int16:
            out.number(static_cast<std::uint16_t>(value));
            break;
        case Encoding::int32:
            out.number(static_cast<std::uint32_t>(value));
            break;
        case Encoding::float64:
            out.number(static_cast<double>(value));
            break;
        case Encoding::seconds:
            out.number(date_time(value));
            break;
        case Encoding::ticks:
            out.number(floor_divided(value, slot.tick_ns));
            break;
        default:
            out.number(value);
    }
}

// With `is_absent`, what a column holds in the place of a value.
void append_value(Sink& out, const Row& row, const Slot& slot, bool is_absent) {
    switch (slot.encoding) {
        case Encoding::text: {
            TextRoom room;
            out.string(is_absent ? "" : slot.field->text(row, room));
            break;
        }
        case Encoding::words:
            append_words(out, static_cast<std::uint32_t>(slot.field->integer(row)));
            break;
        case Encoding::tag_map:
        case Encoding::tag_strings:
        case Encoding::tag_keys:
        case Encoding::tag_values:
        case Encoding::tag_json:
            append_tags(out, row, slot.encoding);
            break;
        default:
            append_integer_value(out, slot, is_absent ? 0 : slot.field->integer(row));
    }
}

}  // namespace

void append_row_binary(std::string& out, const Row& row, std::span<const Slot> slots) {
    Sink sink(out);
    for (const Slot& slot : slots) {
        const bool is_absent = (slot.field->needs & ~row.sample.valid) != 0;
        if (slot.is_nullable) {
            sink.octet(is_absent ? 1 : 0);
            if (is_absent) continue;
        }
        append_value(sink, row, slot, is_absent);
    }
}

}  // namespace latmon::plugins::clickhouse
