// SPDX-License-Identifier: Apache-2.0
//
// Follows strings and comments as TOML 1.0 defines them, so that only what stands outside counts.
#include "config/toml_guard.hpp"

#include <fmt/format.h>
#include <cstddef>
#include <cstdint>

namespace latmon {
namespace {

constexpr std::uint32_t dots_per_line_max = 200;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

// The octets of `text` from its first: how a string ends, "" if there is none.
std::string_view opening_quote(std::string_view text) noexcept {
    for (const std::string_view quote : {"\"\"\"", "'''", "\"", "'"}) {
        if (text.starts_with(quote)) return quote;
    }
    return "";
}

// toml++ reads a word to its end, quotes and all, before it says that the word is wrong; we would
// be out of step with it there.
bool may_precede_string(char letter) noexcept {
    return std::string_view(" \t\r\n=,[{.").find(letter) != std::string_view::npos;
}

class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    std::optional<TextFault> scan() {
        if (text_.starts_with(byte_order_mark)) text_.remove_prefix(byte_order_mark.size());
        while (!text_.empty()) {
            std::optional<TextFault> fault = step();
            if (fault) return fault;
        }
        return std::nullopt;
    }

private:
    // Over one character that stands outside, or over one whole string or comment.
    std::optional<TextFault> step() {
        const char letter = text_.front();
        if (letter == '#') {
            skip_comment();
        } else if (const std::string_view quote = opening_quote(text_); !quote.empty()) {
            if (!may_precede_string(last_)) {
                return TextFault{where_,
                                 "a quote in the middle of a word; put the whole of it in "
                                 "quotes"};
            }
            skip_string(quote);
        } else if (static_cast<unsigned char>(letter) >= 0x80) {
            return TextFault{where_,
                             "a letter beyond ASCII outside of quotes; write keys and "
                             "values with such letters in quotes"};
        } else if (letter == '.' && ++dots_ > dots_per_line_max) {
            return TextFault{where_, fmt::format("more than {} dots in a line outside of quotes; "
                                                 "write one key or value per line",
                                                 dots_per_line_max)};
        } else {
            advance(1);
        }
        return std::nullopt;
    }

    void skip_comment() {
        while (!text_.empty() && text_.front() != '\n') {
            advance(1);
        }
    }

    void skip_string(std::string_view quote) {
        const bool is_long = quote.size() == 3;
        const bool has_escapes = quote.front() == '"';
        advance(quote.size());
        while (!text_.empty()) {
            if (text_.starts_with(quote)) return close_string(quote);
            if (text_.front() == '\n' && !is_long) return;  // Not TOML; toml++ says so.
            advance(has_escapes && text_.front() == '\\' && text_.size() > 1 ? 2 : 1);
        }
    }

    // A long string may end in up to two quotes of its own.
    void close_string(std::string_view quote) {
        advance(quote.size());
        const std::size_t own = quote.size() == 3 ? 2 : 0;
        for (std::size_t count = 0; count < own && text_.starts_with(quote.front()); ++count) {
            advance(1);
        }
    }

    void advance(std::size_t octets) {
        for (const char letter : text_.substr(0, octets)) {
            if (letter == '\n') {
                where_ = {where_.line + 1, 1};
                dots_ = 0;
            } else if ((static_cast<unsigned char>(letter) & 0xc0U) != 0x80U) {
                ++where_.column;  // Characters are counted, not octets.
            }
        }
        last_ = text_[octets - 1];
        text_.remove_prefix(octets);
    }

    std::string_view text_;  // What is still to come.
    char last_ = '\n';       // What stood before it.
    SourcePosition where_{1, 1};
    std::uint32_t dots_ = 0;  // In this line.
};

}  // namespace

std::optional<TextFault> find_text_fault(std::string_view text) {
    return Scanner(text).scan();
}

}  // namespace latmon
