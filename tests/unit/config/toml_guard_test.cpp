// SPDX-License-Identifier: Apache-2.0
//
// Claims about what toml++ is never given, and that nothing else is kept from it.
#include "config/toml_guard.hpp"

#include <doctest/doctest.h>
#include <string>

namespace latmon {
namespace {

// "line:column" of the fault; "" if there is none.
std::string place_of_fault(std::string_view text) {
    const std::optional<TextFault> fault = find_text_fault(text);
    if (!fault) return "";
    return std::to_string(fault->where.line) + ":" + std::to_string(fault->where.column);
}

TEST_CASE("toml_guard: ordinary text passes") {
    CHECK(place_of_fault("") == "");
    CHECK(place_of_fault("a = 1\r\n[b.c]\nd = [\"x\", 'y', 1.5]\ne = { f = \"\" }\n") == "");
    CHECK(place_of_fault("\"quoted key\".b = 1") == "");
}

TEST_CASE("toml_guard: letters beyond ASCII pass in strings and comments alone") {
    CHECK(place_of_fault("a = \"zürich\" # größer\n") == "");
    CHECK(place_of_fault("a = 'zürich'") == "");
    CHECK(place_of_fault("a = \"\"\"\nzürich\n\"\"\"") == "");
    CHECK(place_of_fault("a = '''\nzürich\n'''") == "");
    CHECK(place_of_fault("a = 1\nzürich = 1") == "2:2");
    CHECK(place_of_fault("a = \"ü\" ü") == "1:9");
    CHECK(place_of_fault("ł") == "1:1");
}

TEST_CASE("toml_guard: a byte order mark passes at the start alone") {
    CHECK(place_of_fault("\xef\xbb\xbf"
                         "a = 1") == "");
    CHECK(place_of_fault("a = \xef\xbb\xbf") == "1:5");
}

TEST_CASE("toml_guard: strings end where TOML ends them") {
    CHECK(place_of_fault("a = \"\\\"\" ü") == "1:10");
    CHECK(place_of_fault("a = \"\\\\\" ü") == "1:10");
    CHECK(place_of_fault("a = '\\' ü") == "1:9");
    CHECK(place_of_fault("a = \"\"\"x\"\"\"\" ü") == "1:14");
    CHECK(place_of_fault("a = \"\"\"x\"y\"\"\" ü") == "1:15");
    CHECK(place_of_fault("a = \"x\nü") == "2:1");
    CHECK(place_of_fault("a = '''x\n\nü") == "");
}

TEST_CASE("toml_guard: a quote in the middle of a word is a fault") {
    CHECK(place_of_fault("a = 7\"x\"") == "1:6");
    CHECK(place_of_fault("a = it's") == "1:7");
    CHECK(place_of_fault("a = \"x\"\"y\"") == "1:8");
}

TEST_CASE("toml_guard: dots count by line, outside of strings and comments") {
    const std::string dots(200, '.');
    CHECK(place_of_fault(dots + "\n" + dots) == "");
    CHECK(place_of_fault(dots + ".") == "1:201");
    CHECK(place_of_fault("\n\n" + dots + "\"" + dots + "\" .") == "3:404");
    CHECK(place_of_fault("#" + dots + dots) == "");
}

}  // namespace
}  // namespace latmon
