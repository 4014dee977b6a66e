// SPDX-License-Identifier: Apache-2.0
//
// Octets as text and back, for the tests of core/wire: a packet in a test should look like one in a
// specification. Blanks between octets are allowed.
#pragma once

#include <charconv>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

using Octets = std::vector<std::byte>;

inline Octets from_hex(std::string_view hex) {
    std::string digits(hex);
    std::erase(digits, ' ');
    Octets octets;
    for (std::size_t index = 0; index + 1 < digits.size(); index += 2) {
        unsigned value = 0;
        std::from_chars(digits.data() + index, digits.data() + index + 2, value, 16);
        octets.push_back(static_cast<std::byte>(value));
    }
    return octets;
}

inline std::string to_hex(std::span<const std::byte> octets) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const std::byte octet : octets) {
        hex += digits[std::to_integer<unsigned>(octet) >> 4U];
        hex += digits[std::to_integer<unsigned>(octet) & 15U];
    }
    return hex;
}

inline std::string without_blanks(std::string_view text) {
    std::string result(text);
    std::erase(result, ' ');
    return result;
}

inline Octets octets_of(std::string_view text) {
    const std::span<const std::byte> octets = std::as_bytes(std::span(text));
    return {octets.begin(), octets.end()};
}

}  // namespace latmon
