// SPDX-License-Identifier: Apache-2.0
//
// "Did you mean ...?": which of the words that we know is most like one that we do not.
// Only ever a hint in a message: nothing is taken for something else. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace latmon {

// How many single letters must be changed, left out, added or swapped with their neighbour to make
// one word of the other; case does not count and '-' equals '_'. (Optimal string alignment.)
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The word of `words` that `typed` most likely was meant to be: at most one letter off for short
// words, two for longer ones. Of equally near ones the first.
[[nodiscard]] std::optional<std::string_view> closest_word(std::string_view typed,
                                                           std::span<const std::string_view> words);

}  // namespace latmon
