// SPDX-License-Identifier: Apache-2.0
//
// Claims about the page at /.
#include "admin/landing_page.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

TEST_CASE("landing_page: lists pages, and no name of a file or plugin is HTML in it") {
    const std::string page =
        landing_page("1.2.3", "<node>", {{"/metrics", "All <b>metrics</b>"}, {"/a\"b", "x"}});
    CHECK(page.find("<a href=\"/metrics\">/metrics</a>") != std::string::npos);
    CHECK(page.find("All &lt;b&gt;metrics&lt;/b&gt;") != std::string::npos);
    CHECK(page.find("&lt;node&gt;") != std::string::npos);
    CHECK(page.find("<node>") == std::string::npos);
    CHECK(page.find("/a&quot;b") != std::string::npos);
    CHECK(page.find("1.2.3") != std::string::npos);
}

}  // namespace
}  // namespace latmon
