// SPDX-License-Identifier: Apache-2.0
//
// What all commands' flags are checked by, before CLI11 converts them, so that the messages are
// latmon's own: the ranges and words of the configuration. CLI11 is known to arguments*.cpp and to
// this, which only they include. [main-thread]
#pragma once

#include "config/ranges.hpp"
#include "config/words.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace latmon {

// A number of `text` as a whole; nullopt if anything else stands there.
template <typename Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) noexcept {
    if (text.starts_with("+-")) return std::nullopt;
    if (text.starts_with('+')) text.remove_prefix(1);
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// Each says "" if the text fits, else what to write.
[[nodiscard]] CLI::Validator integer_check(const IntegerRange& range);
[[nodiscard]] CLI::Validator duration_check(const DurationRange& range);
[[nodiscard]] CLI::Validator word_check(std::span<const std::string_view> words);

}  // namespace latmon
