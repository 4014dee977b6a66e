// SPDX-License-Identifier: Apache-2.0
//
// Claims about requests and answers as values.
#include "admin/http_message.hpp"

#include "base/limits.hpp"

#include <doctest/doctest.h>
#include <string>

namespace latmon {
namespace {

std::string path_of(std::string_view target) {
    const std::optional<RequestTarget> parsed = parse_target(target);
    return parsed ? parsed->path : "none";
}

TEST_CASE("http_message: a target is a path and its query, decoded") {
    const auto target = parse_target("/a%20b/c+d?x=1%262&y=a+b&flag&x=3");
    REQUIRE(target.has_value());
    CHECK(target->path == "/a b/c+d");
    const HttpFields query{{"x", "1&2"}, {"y", "a b"}, {"flag", ""}, {"x", "3"}};
    CHECK(target->query == query);
}

TEST_CASE("http_message: the first value of a key counts, and an absent one is none") {
    HttpRequest request;
    request.query = {{"x", "1"}, {"x", "2"}};
    REQUIRE(request.query_value("x") != nullptr);
    CHECK(*request.query_value("x") == "1");
    CHECK(request.query_value("y") == nullptr);
}

TEST_CASE("http_message: a target of a proxy's form is its path") {
    CHECK(path_of("http://host:1/p") == "/p");
    CHECK(path_of("HTTPS://host") == "/");
    CHECK(path_of("ftp://host/p") == "none");
}

TEST_CASE("http_message: what is no target is none") {
    for (const char* target :
         {"", "*", "path", "/%", "/%4", "/%zz", "/%00", "/a%0ab", "/\x7f", "/?a=%0d", "/\n"}) {
        CAPTURE(target);
        CHECK_FALSE(parse_target(target).has_value());
    }
    CHECK(path_of("/%41") == "/A");
    CHECK(path_of("/a#b") == "/a");
}

TEST_CASE("http_message: paths and queries have an end") {
    const std::string longest = "/" + std::string(limits::admin_path_bytes - 1, 'a');
    CHECK(parse_target(longest).has_value());
    CHECK_FALSE(parse_target(longest + "a").has_value());
    std::string query = "/?";
    for (std::uint32_t item = 0; item < limits::admin_query_items_max; ++item)
        query += "a=1&";
    CHECK(parse_target(query).has_value());
    CHECK_FALSE(parse_target(query + "a=1").has_value());
}

TEST_CASE("http_message: headers of one name are one, found whatever their case") {
    HttpRequest request;
    add_header(request.headers, "accept", "a");
    add_header(request.headers, "host", "h");
    add_header(request.headers, "accept", "b");
    REQUIRE(request.header("Accept") != nullptr);
    CHECK(*request.header("Accept") == "a, b");
    CHECK(request.headers.size() == 2);
    CHECK(request.header("cookie") == nullptr);
    CHECK(small_letters("X-Y_Z1") == "x-y_z1");
}

TEST_CASE("http_message: nobody can write a header into another, or one that is the server's") {
    CHECK(is_header_name("X-Any"));
    for (const char* name :
         {"", "a b", "a:", "a\n", "Content-Length", "CONNECTION", "Transfer-Encoding", "date"}) {
        CAPTURE(name);
        CHECK_FALSE(is_header_name(name));
    }
    CHECK(is_header_value("a\tb c"));
    CHECK_FALSE(is_header_value("a\r\nX: y"));
}

TEST_CASE("http_message: HTML has no text that is a mark") {
    CHECK(html_escape("<a href=\"x\">'&'</a>") ==
          "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
}

}  // namespace
}  // namespace latmon
