// SPDX-License-Identifier: Apache-2.0
//
// Addresses as operators write them, and base64 against the vectors of RFC 4648, section 10.
#include "support/url.hpp"

#include "exporter/host.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins {
namespace {

const SeriesTable no_series;

std::optional<std::string> url(std::string_view text) {
    const Host host("", no_series);
    const std::optional<std::string> found = base_url(host.table(), "url", text);
    // What is refused is told, but not repeated: it may hold a password.
    CHECK(host.last_complaint().empty() == found.has_value());
    CHECK(host.last_complaint().find("secret") == std::string::npos);
    return found;
}

TEST_CASE("url: an address gets a scheme, and loses the '/' at its end") {
    CHECK(url("gateway:9091") == "http://gateway:9091");
    CHECK(url("http://gateway:9091//") == "http://gateway:9091");
    CHECK(url("https://[::1]:9091/below/") == "https://[::1]:9091/below");
}

TEST_CASE("url: what is no address is refused") {
    for (const std::string_view text :
         {"", "/", "http://", "http:///x", "ftp://gateway", "http://a b",
          "http://me:secret@gateway", "http://gateway?x", "http://gateway#x", "http://gate\nway",
          "http://gateway\x7F"}) {
        CAPTURE(text);
        CHECK_FALSE(url(text));
    }
}

TEST_CASE("url: base64 of RFC 4648, in both alphabets") {
    CHECK(base64("", Base64::standard).empty());
    CHECK(base64("f", Base64::standard) == "Zg==");
    CHECK(base64("fo", Base64::standard) == "Zm8=");
    CHECK(base64("foo", Base64::standard) == "Zm9v");
    CHECK(base64("foobar", Base64::standard) == "Zm9vYmFy");
    CHECK(base64("\xFB\xFF\xBF", Base64::standard) == "+/+/");
    CHECK(base64("\xFB\xFF\xBF", Base64::url_safe) == "-_-_");
}

TEST_CASE("url: basic authentication as in RFC 7617, section 2") {
    CHECK(basic_authorization("Aladdin", "open sesame") ==
          "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

}  // namespace
}  // namespace latmon::plugins
