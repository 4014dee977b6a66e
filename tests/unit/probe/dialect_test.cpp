// SPDX-License-Identifier: Apache-2.0
//
// Claims about when a probe changes what it speaks.
#include "probe/dialect.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

constexpr Dialect stamp = Dialect::stamp;
constexpr Dialect ancestor = Dialect::ancestor;

DialectChoice automatic(bool is_ancestor_first = false) {
    return {ProbeProtocol::automatic, is_ancestor_first, Duration::from_s(1)};
}

void stay_silent(DialectChoice& choice, int times) {
    for (int silence = 0; silence < times; ++silence)
        choice.on_silence();
}

}  // namespace

TEST_CASE("dialect: a protocol that is named stays, whatever happens") {
    for (const ProbeProtocol protocol :
         {ProbeProtocol::stamp, ProbeProtocol::twamp_light, ProbeProtocol::ancestor}) {
        const Dialect expected = protocol == ProbeProtocol::ancestor ? ancestor : stamp;
        DialectChoice choice(protocol, true, Duration::from_s(1));
        CHECK(choice.current() == expected);
        CHECK(!choice.asks_for_latmon());
        stay_silent(choice, 10);
        choice.on_refusal();
        choice.on_marked_answer();
        choice.on_answer(ancestor);
        CHECK(choice.current() == expected);
    }
}

TEST_CASE("dialect: three silences in a row turn it, and three more turn it back") {
    DialectChoice choice = automatic();
    CHECK(choice.current() == stamp);
    stay_silent(choice, 2);
    CHECK(choice.current() == stamp);
    choice.on_silence();
    CHECK(choice.current() == ancestor);
    stay_silent(choice, 2);
    CHECK(choice.current() == ancestor);
    choice.on_silence();
    CHECK(choice.current() == stamp);
    CHECK(automatic(true).current() == ancestor);
}

TEST_CASE("dialect: silences count across paths on which nothing was answered") {
    DialectChoice choice = automatic();
    for (int path = 0; path < 3; ++path) {
        choice.on_path_opened();
        choice.on_silence();
    }
    CHECK(choice.current() == ancestor);
}

TEST_CASE("dialect: what was answered comes first on the next path, for ten seconds of silence") {
    DialectChoice choice = automatic();
    stay_silent(choice, 3);
    choice.on_answer(ancestor);
    stay_silent(choice, 100);
    CHECK(choice.current() == ancestor);
    choice.on_path_opened();
    CHECK(choice.current() == ancestor);
    stay_silent(choice, 9);
    CHECK(choice.current() == ancestor);
    choice.on_silence();
    CHECK(choice.current() == stamp);
    stay_silent(choice, 3);  // Which was never answered.
    CHECK(choice.current() == ancestor);
}

TEST_CASE("dialect: an answer to what was spoken before brings that back") {
    DialectChoice choice = automatic();
    stay_silent(choice, 3);
    CHECK(choice.current() == ancestor);
    choice.on_answer(stamp);
    CHECK(choice.current() == stamp);
}

TEST_CASE("dialect: a mark brings STAMP, and is not believed again where STAMP stays silent") {
    DialectChoice choice = automatic(true);
    CHECK(choice.asks_for_latmon());
    choice.on_marked_answer();
    CHECK(choice.current() == stamp);
    choice.on_marked_answer();  // The answer to the second that had been sent by then.
    CHECK(choice.current() == stamp);
    stay_silent(choice, 3);
    CHECK(choice.current() == ancestor);
    CHECK(!choice.asks_for_latmon());
    choice.on_marked_answer();
    CHECK(choice.current() == ancestor);
    stay_silent(choice, 3);  // It was an answer all the same.
    CHECK(choice.current() == ancestor);
    choice.on_path_opened();
    choice.on_marked_answer();
    CHECK(choice.current() == stamp);
}

TEST_CASE("dialect: it asks for latmon until something was answered") {
    DialectChoice choice = automatic(true);
    choice.on_answer(ancestor);
    CHECK(!choice.asks_for_latmon());
    choice.on_path_opened();
    CHECK(choice.asks_for_latmon());
}

TEST_CASE("dialect: a connection that is refused turns it at once, even after better days") {
    DialectChoice choice = automatic();
    choice.on_answer(stamp);
    choice.on_refusal();
    CHECK(choice.current() == ancestor);
}

}  // namespace latmon
