// SPDX-License-Identifier: Apache-2.0
//
// Looking up words. Case never counts: the ancestor's manual and its code differed in it.
#include "config/words.hpp"

#include "config/mistakes.hpp"
#include "config/suggest.hpp"

#include <fmt/format.h>
#include <algorithm>

namespace latmon {
namespace {

char lower(char letter) noexcept {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool is_same_word(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string list_of(std::span<const Word<std::uint32_t>> words, std::uint32_t mask) {
    std::string text;
    for (const Word<std::uint32_t>& word : words) {
        if ((mask & word.meaning) == 0) continue;
        if (!text.empty()) text += ",";
        text += word.text;
    }
    return text;
}

std::optional<std::size_t> find_word(std::string_view typed,
                                     std::span<const std::string_view> words) noexcept {
    for (std::size_t index = 0; index < words.size(); ++index) {
        if (is_same_word(typed, words[index])) return index;
    }
    return std::nullopt;
}

std::string describe_unknown(std::string_view typed, std::span<const std::string_view> words) {
    std::string list;
    for (const std::string_view word : words) {
        if (!list.empty()) list += ", ";
        list += in_quotes(word);
    }
    const std::optional<std::string_view> meant = closest_word(typed, words);
    const std::string guess = meant ? fmt::format("did you mean {}? ", in_quotes(*meant)) : "";
    return fmt::format("{} is not known here; {}write one of {}", in_quotes(typed), guess, list);
}

}  // namespace latmon
