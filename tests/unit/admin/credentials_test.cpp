// SPDX-License-Identifier: Apache-2.0
//
// Claims about who may come in.
#include "admin/credentials.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

TEST_CASE("credentials: without any nobody is asked") {
    const Credentials nobody;
    CHECK_FALSE(nobody.is_required());
    CHECK(nobody.accepts(""));
}

TEST_CASE("credentials: the token is the token, whatever the scheme's case") {
    Credentials token;
    token.set_bearer("s3cret-token");
    CHECK(token.is_required());
    CHECK(token.accepts("Bearer s3cret-token"));
    CHECK(token.accepts("bearer  s3cret-token "));
    for (const char* given : {"", "Bearer", "Bearer ", "Bearer s3cret-toke", "Bearer s3cret-tokens",
                              "Bearer S3cret-token", "s3cret-token", "Basic s3cret-token"}) {
        CAPTURE(given);
        CHECK_FALSE(token.accepts(given));
    }
    CHECK(token.challenge() == "Bearer realm=\"latmon\"");
}

// RFC 7617 section 2: its example.
TEST_CASE("credentials: user and password are those of RFC 7617") {
    Credentials basic;
    basic.set_basic("Aladdin", "open sesame");
    CHECK(basic.accepts("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    CHECK_FALSE(basic.accepts("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ"));
    CHECK_FALSE(basic.accepts("Basic QWxhZGRpbjpvcGVuIHNlc2FtZR=="));
    CHECK_FALSE(basic.accepts("Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    CHECK(basic.challenge() == "Basic realm=\"latmon\"");
}

TEST_CASE("credentials: either of two ways will do") {
    Credentials both;
    both.set_bearer("t");
    both.set_basic("u", "");
    CHECK(both.accepts("Bearer t"));
    CHECK(both.accepts("Basic dTo="));
    CHECK_FALSE(both.accepts(""));
    CHECK(both.challenge() == "Bearer realm=\"latmon\", Basic realm=\"latmon\"");
}

}  // namespace
}  // namespace latmon
