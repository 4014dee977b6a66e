// SPDX-License-Identifier: Apache-2.0
//
// The words for the numbers of latmon/sample.h: the enumerator's name in lower case, without its
// prefix. They stand in files that people keep, so they never change. A number that these headers
// do not know is "unknown". Pure; any thread.
#pragma once

#include <latmon/sample.h>

#include <cstdint>
#include <string_view>

namespace latmon::plugins {

[[nodiscard]] std::string_view kind_word(std::uint8_t kind) noexcept;
[[nodiscard]] std::string_view status_word(std::uint8_t status) noexcept;
[[nodiscard]] std::string_view protocol_word(std::uint8_t protocol) noexcept;
[[nodiscard]] std::string_view owd_class_word(std::uint8_t owd_class) noexcept;
[[nodiscard]] std::string_view stamp_word(std::uint8_t stamp) noexcept;

// The word for bit number `bit` of `blame`.
[[nodiscard]] std::string_view blame_word(unsigned bit) noexcept;

}  // namespace latmon::plugins
