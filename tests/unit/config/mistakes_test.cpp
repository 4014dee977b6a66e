// SPDX-License-Identifier: Apache-2.0
//
// Claims about how mistakes are told.
#include "config/mistakes.hpp"

#include <doctest/doctest.h>
#include <algorithm>

namespace latmon {
namespace {

TEST_CASE("mistakes: lines stand in the file's order, the command line before it") {
    Mistakes mistakes("a.toml");
    mistakes.error({7, 3}, "seven");
    mistakes.error({2, 9}, "two, later");
    mistakes.error({2, 1}, "two");
    mistakes.error({}, "whole");
    mistakes.command_line_error("flag");
    CHECK(mistakes.errors_text() ==
          "a.toml: whole\ncommand line: flag\na.toml:2:1: two\na.toml:2:9: two, later\n"
          "a.toml:7:3: seven");
}

TEST_CASE("mistakes: a warning is no error") {
    Mistakes mistakes("a.toml");
    mistakes.warn({1, 1}, "odd");
    CHECK_FALSE(mistakes.has_errors());
    CHECK(mistakes.warnings() == std::vector<std::string>{"a.toml:1:1: odd"});
}

TEST_CASE("mistakes: a hundred are told and the rest are counted") {
    Mistakes mistakes("a.toml");
    for (std::uint32_t line = 1; line <= 150; ++line) {
        mistakes.error({line, 1}, "x");
    }
    const std::string text = mistakes.errors_text();
    CHECK(std::count(text.begin(), text.end(), '\n') == 100);
    CHECK(text.ends_with("\n... and 50 more"));
}

TEST_CASE("mistakes: quoted text stays on its line, is cut, and is cut between characters") {
    CHECK(in_quotes("a\nb\x1b[2J\x7f") == "\"a?b?[2J?\"");
    CHECK(in_quotes(std::string(60, 'x')) == '"' + std::string(60, 'x') + '"');
    CHECK(in_quotes(std::string(61, 'x')) == '"' + std::string(60, 'x') + "...\"");
    CHECK(in_quotes(std::string(59, 'x') + "\xc3\xa4z") == '"' + std::string(59, 'x') + "...\"");
}

TEST_CASE("mistakes: text of stray continuation octets is cut and does not run out") {
    CHECK(in_quotes(std::string(100, '\x80')) == "\"...\"");
}

}  // namespace
}  // namespace latmon
