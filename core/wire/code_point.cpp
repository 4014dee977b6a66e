// SPDX-License-Identifier: Apache-2.0
//
// See code_point.hpp.
#include "wire/code_point.hpp"

#include <array>

namespace latmon {
namespace {

// How many octets a code point has that begins with `lead`; 0: none does.
std::size_t sequence_bytes(std::uint8_t lead) noexcept {
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead < 0xe0) return 2;
    if (lead >= 0xe0 && lead < 0xf0) return 3;
    return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

bool is_continuation(char letter) noexcept {
    return (static_cast<std::uint8_t>(letter) & 0xc0U) == 0x80;
}

}  // namespace

CodePoint first_code_point(std::string_view text) noexcept {
    const auto lead = static_cast<std::uint8_t>(text[0]);
    const std::size_t bytes = sequence_bytes(lead);
    if (bytes == 0 || bytes > text.size()) return {};
    if (bytes == 1) return {.value = lead, .bytes = 1};
    std::uint32_t value = lead & (0x7fU >> bytes);
    for (const char letter : text.substr(1, bytes - 1)) {
        if (!is_continuation(letter)) return {};
        value = value << 6U | (static_cast<std::uint8_t>(letter) & 0x3fU);
    }
    constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x1'0000};
    const bool is_surrogate = value >= 0xd800 && value < 0xe000;
    if (value < least[bytes] || value > 0x10'ffff || is_surrogate) return {};
    return {.value = value, .bytes = bytes};
}

bool is_plain_text(std::string_view text) noexcept {
    while (!text.empty()) {
        const CodePoint first = first_code_point(text);
        if (first.bytes == 0 || is_control(first.value)) return false;
        text.remove_prefix(first.bytes);
    }
    return true;
}

std::string_view cut_text(std::string_view text, std::size_t bytes_max) noexcept {
    if (text.size() <= bytes_max) return text;
    while (bytes_max > 0 && is_continuation(text[bytes_max]))
        --bytes_max;
    return text.substr(0, bytes_max);
}

}  // namespace latmon
