// SPDX-License-Identifier: Apache-2.0
//
// What toml++ 3.3 must not be given, because it would not refuse it but misbehave. A look at the
// characters alone, without meaning: whether a text is TOML is for toml++ to say. Pure.
#pragma once

#include "config/config.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace latmon {

struct TextFault {
    SourcePosition where;
    std::string text;  // What is wrong, and what to write instead.
};

// The first fault of `text`, if it has one:
// - Letters beyond ASCII outside of strings and comments, which TOML 1.0 has no use for. toml++
//   asks whether they are blanks, by a function that is undefined for many of them.
// - A quote in the middle of a word, where strings could not be told from what is not one.
// - More than 200 dots in a line outside of strings and comments. toml++ makes one table per dot of
//   a key, and walks and frees them recursively: the stack would overflow. No key of ours has one.
[[nodiscard]] std::optional<TextFault> find_text_fault(std::string_view text);

}  // namespace latmon
