// SPDX-License-Identifier: Apache-2.0
//
// Reads text from the network as UTF-8, one code point at a time: what is told on to databases and
// web pages must be text. Pure; used on any thread; allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace latmon {

struct CodePoint {
    std::uint32_t value = 0;
    std::size_t bytes = 0;  // 0: not UTF-8.
};

// The first code point of `text`, which is not empty (RFC 3629: none that is longer than needed, no
// surrogates, nothing above U+10FFFF). [any-thread]
[[nodiscard]] CodePoint first_code_point(std::string_view text) noexcept;

// Of ASCII or of C1. [any-thread]
[[nodiscard]] constexpr bool is_control(std::uint32_t code_point) noexcept {
    return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

// All of `text` is UTF-8 without control characters. [any-thread]
[[nodiscard]] bool is_plain_text(std::string_view text) noexcept;

// The longest beginning of `text` of at most `bytes_max` octets that cuts no character in two, if
// it is UTF-8. [any-thread]
[[nodiscard]] std::string_view cut_text(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace latmon
