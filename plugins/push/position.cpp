// SPDX-License-Identifier: Apache-2.0
//
// Text, because an operator may want to know.
#include "push/position.hpp"

#include "push/gzip.hpp"

#include <charconv>

namespace latmon::plugins::push {
namespace {

constexpr std::string_view title = "latmon-spool 1\n";
constexpr std::string_view digits = "0123456789abcdef";
constexpr std::size_t id_digits = 32;

std::string crc_line(std::string_view above) {
    const std::uint32_t crc = crc32(above);
    std::string line = "crc ";
    for (int shift = 28; shift >= 0; shift -= 4) {
        line += digits[crc >> shift & 15U];
    }
    return line + "\n";
}

bool take_word(std::string_view& text, std::string_view word) noexcept {
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
}

bool take_number(std::string_view& text, std::uint64_t& value) noexcept {
    const std::from_chars_result read =
        std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec != std::errc()) return false;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    return true;
}

bool take_id(std::string_view& text, std::string& id) {
    if (text.size() < id_digits) return false;
    id = text.substr(0, id_digits);
    text.remove_prefix(id_digits);
    return id.find_first_not_of(digits) == std::string::npos;
}

}  // namespace

std::string format_position(const SpoolPosition& position) {
    std::string text(title);
    text += "done " + std::to_string(position.segment) + " " +
            std::to_string(position.done_octets) + "\n";
    if (position.block_end_octets != 0) {
        text +=
            "block " + std::to_string(position.block_end_octets) + " " + position.block_id + "\n";
    }
    if (position.doubt_segment != 0) {
        text += "doubt " + std::to_string(position.doubt_segment) + " " +
                std::to_string(position.doubt_octets) + "\n";
    }
    return text + crc_line(text);
}

std::optional<SpoolPosition> parse_position(std::string_view text) {
    SpoolPosition position;
    std::string_view rest = text;
    if (!take_word(rest, title) || !take_word(rest, "done ") ||
        !take_number(rest, position.segment) || !take_word(rest, " ") ||
        !take_number(rest, position.done_octets) || !take_word(rest, "\n")) {
        return std::nullopt;
    }
    if (take_word(rest, "block ") &&
        (!take_number(rest, position.block_end_octets) || !take_word(rest, " ") ||
         !take_id(rest, position.block_id) || !take_word(rest, "\n"))) {
        return std::nullopt;
    }
    if (take_word(rest, "doubt ") &&
        (!take_number(rest, position.doubt_segment) || position.doubt_segment == 0 ||
         !take_word(rest, " ") || !take_number(rest, position.doubt_octets) ||
         !take_word(rest, "\n"))) {
        return std::nullopt;
    }
    if (rest != crc_line(text.substr(0, text.size() - rest.size()))) return std::nullopt;
    return position;
}

}  // namespace latmon::plugins::push
