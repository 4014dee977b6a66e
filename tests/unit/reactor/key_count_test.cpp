// SPDX-License-Identifier: Apache-2.0
//
// Numbers of the kernel become keys of the user, or nothing, never another datagram's.
#include "reactor/key_count.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

using Act = KeyCount::Act;

// A send with `key` that succeeds; the kernel numbers it as KeyCount expects.
void send(KeyCount& count, std::uint32_t key) {
    CHECK(count.before_send(key) == Act::nothing);
    count.on_sent();
}

}  // namespace

TEST_CASE("key count: numbers are keys less what was left out") {
    KeyCount count;
    send(count, 50);
    send(count, 51);
    send(count, 60);
    CHECK(count.key_of(0) == 50U);
    CHECK(count.key_of(1) == 51U);
    CHECK(count.key_of(2) == 60U);
    CHECK(count.key_of(3) == std::nullopt);
}

TEST_CASE("key count: a stamp read before the completion of its send has its key") {
    KeyCount count;
    CHECK(count.before_send(9) == Act::nothing);
    CHECK(count.key_of(0) == 9U);
    CHECK(count.key_of(1) == std::nullopt);
}

TEST_CASE("key count: keys left out twice make older stamps unknown, not wrong") {
    KeyCount count;
    send(count, 10);
    send(count, 20);
    send(count, 30);
    CHECK(count.key_of(0) == std::nullopt);
    CHECK(count.key_of(1) == 20U);
    CHECK(count.key_of(2) == 30U);
}

TEST_CASE("key count: after a failure counting starts again when all stamps have come") {
    KeyCount count;
    send(count, 0);
    send(count, 1);
    CHECK(count.before_send(2) == Act::nothing);
    CHECK(count.on_failed());
    // Number 2 was or was not used up by the failed one; while stamps are due nothing is stamped.
    CHECK(count.before_send(3) == Act::nothing);
    count.on_sent();
    CHECK(count.key_of(2) == std::nullopt);
    CHECK(count.key_of(0) == 0U);
    CHECK(count.before_send(4) == Act::nothing);
    count.on_sent();
    CHECK(count.key_of(1) == 1U);
    CHECK(count.before_send(5) == Act::restart);
    count.on_sent();
    CHECK(count.key_of(0) == 5U);
    send(count, 6);
    CHECK(count.key_of(1) == 6U);
}

TEST_CASE("key count: of several sends under way each stamp has its own key") {
    KeyCount count;
    for (const std::uint32_t key : {10U, 12U, 13U})  // 11 was left out.
        CHECK(count.before_send(key) == Act::nothing);
    CHECK(count.key_of(1) == 12U);
    for (int sent = 0; sent < 3; ++sent)
        count.on_sent();
    CHECK(count.key_of(0) == 10U);
    CHECK(count.key_of(2) == 13U);
}

TEST_CASE("key count: what was prepared behind a send that failed has no key") {
    KeyCount count;
    for (const std::uint32_t key : {0U, 1U, 2U})
        CHECK(count.before_send(key) == Act::nothing);
    count.on_sent();
    CHECK(count.on_failed());
    CHECK(count.key_of(0) == 0U);
    CHECK(count.key_of(1) == std::nullopt);  // Of the second, or of the third if that came first.
    // The third is under way: if numbers began anew now, it might have the first of them.
    CHECK(count.before_send(3) == Act::nothing);
    CHECK(!count.on_failed());
    count.on_sent();
    CHECK(count.before_send(4) == Act::restart);
    CHECK(count.key_of(0) == 4U);
}

TEST_CASE("key count: a stamp that never comes holds up counting for a while only") {
    KeyCount count;
    send(count, 0);
    CHECK(count.before_send(1) == Act::nothing);
    CHECK(count.on_failed());
    std::uint32_t unstamped = 0;
    while (count.before_send(2 + unstamped) == Act::nothing) {
        count.on_sent();
        ++unstamped;
    }
    CHECK(unstamped == KeyCount::unstamped_max - 1);
}

TEST_CASE("key count: numbers and keys wrap around") {
    KeyCount count;
    for (std::uint32_t sent = 0; sent < 4; ++sent)
        send(count, 0xFFFF'FFFEU + sent);
    CHECK(count.key_of(1) == 0xFFFF'FFFFU);
    CHECK(count.key_of(2) == 0U);
    CHECK(count.key_of(3) == 1U);
}

}  // namespace latmon
