// SPDX-License-Identifier: Apache-2.0
//
// UTF-8 as RFC 3629 has it, and nothing that only looks like it.
#include "wire/code_point.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

TEST_CASE("code_point: one of each length is read") {
    CHECK(first_code_point("a").value == 'a');
    CHECK(first_code_point("\xc3\xb6x").value == 0xf6);
    CHECK(first_code_point("\xc3\xb6x").bytes == 2);
    CHECK(first_code_point("\xe2\x82\xac").value == 0x20ac);
    CHECK(first_code_point("\xf0\x9f\x98\x80").value == 0x1f600);
    CHECK(first_code_point("\xf0\x9f\x98\x80").bytes == 4);
}

TEST_CASE("code_point: what is too long, cut, a surrogate or too large is none") {
    for (const char* text : {"\x80", "\xc3", "\xc3z", "\xc0\x80", "\xe0\x80\x80", "\xe2\x82",
                             "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xff"}) {
        CHECK(first_code_point(text).bytes == 0);
        CHECK_FALSE(is_plain_text(text));
    }
}

TEST_CASE("code_point: plain text has no control characters, neither of ASCII nor of C1") {
    CHECK(is_plain_text(""));
    CHECK(is_plain_text("n\xc3\xb6 de|~"));
    for (const char* text : {"a\tb", "\x1f", "\x7f", "\xc2\x80", "\xc2\x9f"})
        CHECK_FALSE(is_plain_text(text));
    CHECK(is_plain_text("\xc2\xa0"));
}

TEST_CASE("code_point: text is cut between characters") {
    constexpr std::string_view text = "a\xc3\xb6\xe2\x82\xac";
    CHECK(cut_text(text, 6) == text);
    CHECK(cut_text(text, 5) == "a\xc3\xb6");
    CHECK(cut_text(text, 3) == "a\xc3\xb6");
    CHECK(cut_text(text, 2) == "a");
    CHECK(cut_text(text, 0).empty());
    CHECK(cut_text("\x80\x80", 1).empty());
}

}  // namespace
}  // namespace latmon
