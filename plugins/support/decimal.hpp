// SPDX-License-Identifier: Apache-2.0
//
// Whole nanoseconds as decimal fractions of a larger unit, exactly: a double would round what was
// measured. Pure; any thread.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string>

namespace latmon::plugins {

// Appends value / 10^digits, digits 1 to 18, without zeros at its end: 1'500'000 of 9 digits is
// "0.0015".
inline void append_decimal(std::string& out, std::int64_t value, unsigned digits) {
    const std::uint64_t bits = static_cast<std::uint64_t>(value);
    const std::uint64_t magnitude = value < 0 ? 0 - bits : bits;
    std::array<char, 20> text;  // "18446744073709551615"
    char* const end = std::to_chars(text.data(), text.data() + text.size(), magnitude).ptr;
    std::string number(text.begin(), end);
    if (number.size() <= digits) number.insert(0, digits + 1 - number.size(), '0');
    number.insert(number.size() - digits, 1, '.');
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') number.pop_back();
    if (value < 0) out += '-';
    out += number;
}

}  // namespace latmon::plugins
