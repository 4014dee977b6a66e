// SPDX-License-Identifier: Apache-2.0
//
// See ancestor.hpp. One pass from left to right without going back: each field ends at the first
// '|', which no field may contain.
#include "wire/ancestor.hpp"

#include "base/assert.hpp"
#include "wire/code_point.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace latmon {
namespace {

constexpr std::size_t sequence_digits_max = 3;
// Nanoseconds since 1970 have 19 digits from 2001 to 2286; the ancestor prints whatever it has.
constexpr std::size_t time_digits_min = 16;
constexpr std::size_t time_digits_max = 20;

bool is_digit(char letter) noexcept {
    return letter >= '0' && letter <= '9';
}
bool is_source_letter(char letter) noexcept {
    return static_cast<std::uint8_t>(letter) > 0x1f && letter != '|';
}
bool is_tags_letter(char letter) noexcept {
    return letter != '\0' && letter != '|';
}

std::string_view text_of(std::span<const std::byte> data) noexcept {
    return {reinterpret_cast<const char*>(data.data()), data.size()};
}

bool is_sequence_begin(std::string_view digits) noexcept {
    return digits.size() <= sequence_digits_max && (digits.size() < 2 || digits.front() != '0');
}

struct Field {
    bool (*accepts)(char) noexcept;
    std::size_t bytes_min;
    std::size_t bytes_max;
};

// The fields of a head, each up to its '|'.
constexpr std::array<Field, 4> fields{{{is_digit, 1, sequence_digits_max},
                                       {is_source_letter, 0, ancestor_source_bytes_max},
                                       {is_digit, time_digits_min, time_digits_max},
                                       {is_tags_letter, 0, std::string_view::npos}}};

// Moves one field and its '|' from `rest` to `text`.
AncestorHead take_field(const Field& field, std::string_view& rest,
                        std::string_view& text) noexcept {
    std::size_t count = 0;
    while (count < rest.size() && field.accepts(rest[count]))
        ++count;
    if (count > field.bytes_max) return AncestorHead::broken;
    text = rest.substr(0, count);
    if (count == rest.size()) return AncestorHead::incomplete;
    if (rest[count] != '|' || count < field.bytes_min) return AncestorHead::broken;
    rest.remove_prefix(count + 1);
    return AncestorHead::complete;
}

template <typename Integer>
bool read_number(std::string_view digits, Integer& value) noexcept {
    return std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc{};
}

// Puts text at the front of a buffer until that is full.
class Writer {
public:
    explicit Writer(std::span<std::byte> out) noexcept : out_(out) {}

    void put(std::string_view text) noexcept {
        const std::size_t count = std::min(text.size(), out_.size() - used_);
        std::memmove(out_.data() + used_, text.data(), count);
        used_ += count;
    }
    void put(std::size_t count, char letter) noexcept {
        count = std::min(count, out_.size() - used_);
        std::memset(out_.data() + used_, letter, count);
        used_ += count;
    }
    [[nodiscard]] std::size_t used() const noexcept { return used_; }

private:
    std::span<std::byte> out_;
    std::size_t used_ = 0;
};

// A number as text, kept where it was made.
class Decimal {
public:
    explicit Decimal(std::int64_t value) noexcept
        : bytes_(static_cast<std::size_t>(
              std::to_chars(digits_.data(), digits_.data() + digits_.size(), value).ptr -
              digits_.data())) {}
    [[nodiscard]] std::string_view text() const noexcept { return {digits_.data(), bytes_}; }

private:
    std::array<char, time_digits_max> digits_{};
    std::size_t bytes_;
};

}  // namespace

AncestorHead read_ancestor_head(std::span<const std::byte> data, AncestorPacket& packet) noexcept {
    std::string_view rest = text_of(data);
    std::array<std::string_view, fields.size()> texts;
    for (std::size_t index = 0; index < fields.size(); ++index) {
        const AncestorHead head = take_field(fields[index], rest, texts[index]);
        if (index == 0 && !is_sequence_begin(texts[0])) return AncestorHead::broken;
        if (head != AncestorHead::complete) return head;
    }
    if (!read_number(texts[0], packet.sequence)) return AncestorHead::broken;
    if (!read_number(texts[2], packet.time_ns)) return AncestorHead::broken;
    packet.source = texts[1];
    packet.head_bytes = data.size() - rest.size();
    const std::size_t last = texts[3].find_last_not_of(' ');
    packet.tags = texts[3].substr(0, last + 1);  // None: npos + 1 is 0.
    packet.hello = static_cast<std::uint8_t>(
        std::min<std::size_t>(texts[3].size() - packet.tags.size(), ancestor_hello_reflected));
    return AncestorHead::complete;
}

std::optional<AncestorPacket> decode_ancestor(std::span<const std::byte> data) noexcept {
    AncestorPacket packet;
    if (read_ancestor_head(data, packet) != AncestorHead::complete) return std::nullopt;
    const std::span<const std::byte> padding = data.subspan(packet.head_bytes);
    const bool is_padding =
        std::ranges::all_of(padding, [](std::byte octet) { return octet == std::byte{'0'}; });
    return is_padding ? std::optional(packet) : std::nullopt;
}

std::string ancestor_source(std::string_view name) {
    std::string source;
    for (name = cut_text(name, ancestor_source_bytes_max); !name.empty();) {
        const CodePoint first = first_code_point(name);
        const std::size_t bytes = std::max<std::size_t>(first.bytes, 1);
        const bool is_bad = first.bytes == 0 || is_control(first.value) || first.value == '|';
        source += is_bad ? "_" : name.substr(0, bytes);
        name.remove_prefix(bytes);
    }
    return source.empty() ? "_" : source;
}

std::size_t encode_ancestor_head(const AncestorPacket& packet, std::span<std::byte> out) noexcept {
    Writer writer(out);
    writer.put(Decimal(packet.sequence).text());
    writer.put("|");
    writer.put(packet.source);
    writer.put("|");
    writer.put(Decimal(packet.time_ns).text());
    writer.put("|");
    writer.put(packet.tags);
    writer.put(packet.hello, ' ');
    writer.put("|");
    return writer.used();
}

bool encode_ancestor_reply(const AncestorPacket& request, const AncestorReply& reply,
                           std::span<std::byte> out) noexcept {
    LATMON_ASSERT(reply.t2_ns >= 0);
    const Decimal sequence(request.sequence);
    const Decimal time(reply.t2_ns);
    constexpr std::size_t bars = 4;
    const std::size_t fixed_bytes =
        sequence.text().size() + time.text().size() + request.tags.size() + bars;
    if (out.size() <= fixed_bytes + request.hello) return false;
    const std::size_t free_bytes = out.size() - fixed_bytes;
    const std::size_t spaces = std::min<std::size_t>(free_bytes, ancestor_hello_reflected);
    if (spaces <= request.hello) return false;
    const std::string_view source = cut_text(reply.source, free_bytes - spaces);

    // The tags first: they may lie where the rest goes, and nothing else of the request is needed.
    const std::size_t tags_at = fixed_bytes - request.tags.size() - 1 + source.size();
    std::memmove(out.data() + tags_at, request.tags.data(), request.tags.size());
    Writer front(out.first(tags_at));
    front.put(sequence.text());
    front.put("|");
    front.put(source);
    front.put("|");
    front.put(time.text());
    front.put("|");
    LATMON_ASSERT(front.used() == tags_at);
    Writer back(out.subspan(tags_at + request.tags.size()));
    back.put(spaces, ' ');
    back.put("|");
    back.put(out.size(), '0');
    return true;
}

}  // namespace latmon
