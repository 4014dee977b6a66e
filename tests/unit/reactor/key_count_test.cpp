// SPDX-License-Identifier: Apache-2.0
//
// Numbers of the kernel become keys of the user, or nothing, never another datagram's.
#include "reactor/key_count.hpp"

#include <doctest/doctest.h>
#include <deque>
#include <random>
#include <utility>

namespace latmon {
namespace {

// A send with `key` that succeeds; the kernel numbers it as KeyCount expects.
void send(KeyCount& count, std::uint32_t key) {
    static_cast<void>(count.before_send(key));
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
    CHECK(count.before_send(9) == 0);
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

TEST_CASE("key count: of several sends under way each stamp has its own key") {
    KeyCount count;
    for (const std::uint32_t key : {10U, 12U, 13U})  // 11 was left out.
        static_cast<void>(count.before_send(key));
    CHECK(count.key_of(1) == 12U);
    for (int sent = 0; sent < 3; ++sent)
        count.on_sent();
    CHECK(count.key_of(0) == 10U);
    CHECK(count.key_of(2) == 13U);
    CHECK(!count.has_failed());
}

TEST_CASE("key count: what failed and what was prepared behind it has no key, all else has") {
    KeyCount count;
    for (const std::uint32_t key : {0U, 1U, 2U})
        static_cast<void>(count.before_send(key));
    count.on_sent();
    CHECK(count.on_failed());
    CHECK(count.has_failed());
    count.on_sent();
    CHECK(count.key_of(0) == 0U);
    CHECK(count.key_of(1) == std::nullopt);  // Of the second, or of the third if that came first.
    CHECK(count.key_of(2) == std::nullopt);
    CHECK(count.before_send(3) == 3);
    CHECK(count.key_of(3) == 3U);
    CHECK(!count.on_failed());  // It brought its number along: there is no new doubt.
    send(count, 4);
    CHECK(count.key_of(4) == 4U);
}

// A kernel that counts what it takes, fails at any of its stages, and gives stamps late.
TEST_CASE("key count: no stamp goes to another datagram, however late it comes") {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        KeyCount count;
        std::uint32_t kernel_next = 0;
        std::deque<std::pair<std::uint32_t, std::uint32_t>> queued;  // Number, key.
        std::uint32_t matched = 0;
        for (std::uint32_t key = 0; key < 3'000; ++key) {
            const bool brings_key = count.has_failed();
            const std::uint32_t number = count.before_send(key);
            const bool fails = key > 500 && random() % 100 == 0;
            const bool is_counted = !fails || random() % 2 == 0;
            const std::uint32_t given = brings_key ? number : kernel_next;
            if (!brings_key && is_counted) ++kernel_next;
            if (fails) {
                static_cast<void>(count.on_failed());
            } else {
                count.on_sent();
                queued.emplace_back(given, key);
            }
            while (queued.size() > 200 || (!queued.empty() && random() % 3 == 0)) {
                const std::optional<std::uint32_t> found = count.key_of(queued.front().first);
                if (found) CHECK(*found == queued.front().second);
                if (found) ++matched;
                queued.pop_front();
            }
        }
        CHECK(matched > 2'500);
    }
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
