// SPDX-License-Identifier: Apache-2.0
//
// The list of tags in the ancestor's packets, as Python writes it; see ancestor.hpp. The syntax of
// str.__repr__ and list.__repr__: docs.python.org/3/library/stdtypes.html, and of escapes in
// string literals: docs.python.org/3/reference/lexical_analysis.html.
#include "wire/ancestor.hpp"
#include "wire/code_point.hpp"

#include <algorithm>
#include <charconv>

namespace latmon {
namespace {

bool take(std::string_view& text, std::string_view prefix) noexcept {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

// A code point as UTF-8.
class Utf8 {
public:
    explicit Utf8(std::uint32_t value) noexcept {
        if (value < 0x80) {
            add(value);
        } else if (value < 0x800) {
            add(0xc0U | value >> 6U);
            add_rest(value, 1);
        } else if (value < 0x1'0000) {
            add(0xe0U | value >> 12U);
            add_rest(value, 2);
        } else {
            add(0xf0U | value >> 18U);
            add_rest(value, 3);
        }
    }
    [[nodiscard]] std::string_view text() const noexcept { return {octets_.data(), bytes_}; }

private:
    void add(std::uint32_t octet) noexcept { octets_[bytes_++] = static_cast<char>(octet); }
    void add_rest(std::uint32_t value, std::uint32_t count) noexcept {
        while (count > 0)
            add(0x80U | (value >> (6U * --count) & 0x3fU));
    }

    std::array<char, 4> octets_{};
    std::size_t bytes_ = 0;
};

// Moves `digits` hexadecimal digits off the front: the code point, or nothing if there is none.
std::optional<std::uint32_t> take_hexadecimal(std::string_view& text, std::size_t digits) noexcept {
    if (text.size() < digits) return std::nullopt;
    std::uint32_t value = 0;
    const char* const end = text.data() + digits;
    const auto read = std::from_chars(text.data(), end, value, 16);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    if (value > 0x10'ffff || (value >= 0xd800 && value < 0xe000)) return std::nullopt;
    text.remove_prefix(digits);
    return value;
}

// Appends to a buffer; keeps in mind if it was too small.
class Printer {
public:
    explicit Printer(std::span<char> out) noexcept : out_(out) {}

    void put(std::string_view text) noexcept {
        if (text.size() > out_.size() - used_) {
            is_full_ = true;
            return;
        }
        std::copy(text.begin(), text.end(), out_.begin() + static_cast<std::ptrdiff_t>(used_));
        used_ += text.size();
    }
    void put_hexadecimal(std::uint8_t octet) noexcept {
        constexpr std::string_view digits = "0123456789abcdef";
        const std::array<char, 4> text{'\\', 'x', digits[octet >> 4U], digits[octet & 0xfU]};
        put({text.data(), text.size()});
    }
    [[nodiscard]] std::size_t used() const noexcept { return is_full_ ? 0 : used_; }

private:
    std::span<char> out_;
    std::size_t used_ = 0;
    bool is_full_ = false;
};

// The letter that stands for `value` behind a '\'; 0: none does.
char short_escape(std::uint32_t value, char quote) noexcept {
    switch (value) {
        case '\\':
            return '\\';
        case '\n':
            return 'n';
        case '\r':
            return 'r';
        case '\t':
            return 't';
        default:
            return value == static_cast<std::uint8_t>(quote) ? quote : '\0';
    }
}

void put_string(std::string_view text, Printer& printer) noexcept {
    const bool has_only_single =
        text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
    const char quote = has_only_single ? '"' : '\'';
    printer.put({&quote, 1});
    while (!text.empty()) {
        const CodePoint first = first_code_point(text);
        const std::size_t bytes = std::max<std::size_t>(first.bytes, 1);
        if (const char letter = short_escape(first.value, quote); letter != '\0') {
            const std::array<char, 2> escape{'\\', letter};
            printer.put({escape.data(), escape.size()});
        } else if (first.bytes == 0) {
            printer.put_hexadecimal(static_cast<std::uint8_t>(text.front()));
        } else if (is_control(first.value) || first.value == '|') {
            printer.put_hexadecimal(static_cast<std::uint8_t>(first.value));
        } else {
            printer.put(text.substr(0, bytes));
        }
        text.remove_prefix(bytes);
    }
    printer.put({&quote, 1});
}

}  // namespace

bool AncestorTags::read(std::string_view text) noexcept {
    count_ = 0;
    octets_used_ = 0;
    if (text.empty() || read_list(text)) return true;
    count_ = 0;
    return false;
}

bool AncestorTags::read_list(std::string_view text) noexcept {
    if (!take(text, "[")) return false;
    if (text == "]") return true;
    do {
        if (count_ == tags_.size() || !read_string(text)) return false;
    } while (take(text, ", "));
    return text == "]";
}

bool AncestorTags::read_string(std::string_view& text) noexcept {
    if (text.empty() || (text.front() != '\'' && text.front() != '"')) return false;
    const char quote = text.front();
    text.remove_prefix(1);
    const std::size_t begin = octets_used_;
    while (!text.empty() && text.front() != quote) {
        if (take(text, "\\")) {
            if (!put_escaped(text)) return false;
            continue;
        }
        const CodePoint first = first_code_point(text);
        if (first.bytes == 0 || is_control(first.value)) return false;  // repr() escapes those.
        if (!put(text.substr(0, first.bytes))) return false;
        text.remove_prefix(first.bytes);
    }
    if (text.empty()) return false;
    text.remove_prefix(1);
    tags_[count_++] = {octets_.data() + begin, octets_used_ - begin};
    return true;
}

bool AncestorTags::put(std::string_view octets) noexcept {
    if (octets.size() > octets_.size() - octets_used_) return false;
    std::copy(octets.begin(), octets.end(),
              octets_.begin() + static_cast<std::ptrdiff_t>(octets_used_));
    octets_used_ += octets.size();
    return true;
}

// What stands behind a '\'.
bool AncestorTags::put_escaped(std::string_view& text) noexcept {
    if (text.empty()) return false;
    const char letter = text.front();
    text.remove_prefix(1);
    switch (letter) {
        case '\\':
        case '\'':
        case '"':
            return put({&letter, 1});
        case 'n':
            return put("\n");
        case 'r':
            return put("\r");
        case 't':
            return put("\t");
        default:
            break;
    }
    const std::size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
    if (digits == 0) return false;
    const std::optional<std::uint32_t> value = take_hexadecimal(text, digits);
    return value && put(Utf8(*value).text());
}

std::size_t encode_ancestor_tags(std::span<const std::string_view> tags,
                                 std::span<char> out) noexcept {
    Printer printer(out);
    printer.put("[");
    for (std::size_t index = 0; index < tags.size(); ++index) {
        if (index > 0) printer.put(", ");
        put_string(tags[index], printer);
    }
    printer.put("]");
    return printer.used();
}

}  // namespace latmon
