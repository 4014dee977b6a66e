// SPDX-License-Identifier: Apache-2.0
//
// A session is found again until it has been silent for too long, and only then gives up its place.
#include "probe/session_table.hpp"

#include <doctest/doctest.h>
#include <array>
#include <map>
#include <random>
#include <set>

namespace latmon {
namespace {

constexpr HashKey hash_key{11, 22};
constexpr Instant start{5'000'000'000};
constexpr Duration idle{limits::session_idle_ns};

SessionKey numbered(std::uint32_t number) {
    SessionKey key;
    key.peer = parse_endpoint("192.0.2.1", static_cast<std::uint16_t>(number)).value();
    key.ssid = static_cast<std::uint16_t>(number >> 16U);
    return key;
}

TEST_CASE("session table: a session counts from 0 and is found again") {
    SessionTable table(hash_key);
    Session* session = table.find_or_create(numbered(1), start);
    REQUIRE(session != nullptr);
    CHECK(session->sequence == 0);
    CHECK(session->last_seen() == start);
    CHECK(session->key() == numbered(1));
    session->sequence = 7;
    session->last_sender_sequence = 9;
    const Instant later = start + Duration::from_s(1);
    CHECK(table.find_or_create(numbered(1), later) == session);
    CHECK(session->sequence == 7);
    CHECK(session->last_sender_sequence == 9);
    CHECK(session->last_seen() == later);
    CHECK(table.size() == 1);
}

TEST_CASE(
    "session table: address, scope, port, session id and listener each make another session") {
    SessionTable table(hash_key);
    const SessionKey base{.peer = parse_endpoint("fe80::1", 862).value(), .ssid = 1, .listener = 1};
    std::array<SessionKey, 6> keys;
    keys.fill(base);
    keys[1].peer.address[15] = 2;
    keys[2].peer.scope_id = 3;
    keys[3].peer.port = 863;
    keys[4].ssid = 2;
    keys[5].listener = 2;
    std::set<const Session*> sessions;
    for (const SessionKey& key : keys) {
        sessions.insert(table.find_or_create(key, start));
    }
    CHECK(sessions.size() == keys.size());
    CHECK(table.size() == keys.size());
}

TEST_CASE("session table: 10,000 sessions are each found again with their own count") {
    SessionTable table(hash_key);
    for (std::uint32_t round = 0; round < 3; ++round) {
        const Instant now = start + Duration::from_s(round);
        for (std::uint32_t number = 0; number < 10'000; ++number) {
            Session* session = table.find_or_create(numbered(number), now);
            if (session == nullptr || session->sequence != round * (number + 1)) {
                FAIL_CHECK(number);
                continue;
            }
            session->sequence += number + 1;
        }
    }
    CHECK(table.size() == 10'000);
}

TEST_CASE("session table: every place can be used, and the next newcomer is turned away") {
    SessionTable table(hash_key);
    for (std::uint32_t number = 0; number < limits::sessions_per_core; ++number) {
        if (table.find_or_create(numbered(number), start) == nullptr) FAIL_CHECK(number);
    }
    CHECK(table.size() == limits::sessions_per_core);
    CHECK(table.find_or_create(numbered(1'000'000), start + idle) == nullptr);
    CHECK(table.find_or_create(numbered(3), start + idle) != nullptr);
    CHECK(table.size() == limits::sessions_per_core);
}

TEST_CASE("session table: a full table gives a newcomer the place of whoever was silent longest") {
    SessionTable table(hash_key);
    for (std::uint32_t number = 0; number < limits::sessions_per_core; ++number) {
        REQUIRE(table.find_or_create(numbered(number), start + Duration{number}) != nullptr);
    }
    REQUIRE(table.find_or_create(numbered(0), start + idle) != nullptr);  // No longer the oldest.
    const Instant now = start + idle + Duration{2};                       // Only session 1 is idle.
    Session* newcomer = table.find_or_create(numbered(1'000'000), now);
    REQUIRE(newcomer != nullptr);
    CHECK(newcomer->sequence == 0);
    CHECK(table.find_or_create(numbered(1'000'001), now) == nullptr);
    CHECK(table.find_or_create(numbered(1), now) == nullptr);  // It was session 1's place.
    CHECK(table.find_or_create(numbered(0), now) != nullptr);
    CHECK(table.size() == limits::sessions_per_core);
}

TEST_CASE("session table: a session that was silent too long starts anew from 0") {
    SessionTable table(hash_key);
    Session* session = table.find_or_create(numbered(1), start);
    REQUIRE(session != nullptr);
    session->sequence = 5;
    session->last_sender_sequence = 5;
    session = table.find_or_create(numbered(1), start + idle);
    REQUIRE(session != nullptr);
    CHECK(session->sequence == 5);
    session = table.find_or_create(numbered(1), start + idle + idle + Duration{1});
    REQUIRE(session != nullptr);
    CHECK(session->sequence == 0);
    CHECK(session->last_sender_sequence == 0);
    CHECK(table.size() == 1);
}

TEST_CASE("session table: expiry forgets the idle, oldest first, and no more than it was told to") {
    SessionTable table(hash_key);
    for (std::uint32_t number = 0; number < 100; ++number) {
        REQUIRE(table.find_or_create(numbered(number), start + Duration::from_s(number)) !=
                nullptr);
    }
    CHECK(table.expire(start + idle, 1'000) == 0);
    const Instant now = start + idle + Duration::from_s(50);
    CHECK(table.expire(now, 20) == 20);
    CHECK(table.size() == 80);
    CHECK(table.expire(now, 1'000) == 30);
    CHECK(table.size() == 50);
    CHECK(table.expire(now + idle, 1'000) == 50);
    CHECK(table.size() == 0);
    CHECK(table.expire(now + idle, 1'000) == 0);
    CHECK(table.find_or_create(numbered(7), now + idle) != nullptr);
}

TEST_CASE("session table: after long random use it still knows exactly the living") {
    SessionTable table(hash_key);
    std::mt19937 random(8);
    std::map<std::uint32_t, std::pair<Instant, std::uint32_t>> model;  // Last seen, sequence.
    Instant now = start;
    for (int round = 0; round < 200'000; ++round) {
        now = now + Duration::from_ms(static_cast<std::int64_t>(random() % 1'000));
        const std::uint32_t number = static_cast<std::uint32_t>(random() % 4'000);
        Session* session = table.find_or_create(numbered(number), now);
        auto& [last_seen, sequence] = model[number];
        if (now - last_seen > idle) sequence = 0;
        if (session == nullptr || session->sequence != sequence) {
            FAIL_CHECK(round);
            break;
        }
        last_seen = now;
        sequence = ++session->sequence;
    }
    (void)table.expire(now, limits::sessions_per_core);
    std::uint32_t living = 0;
    for (const auto& [number, entry] : model) {
        living += now - entry.first > idle ? 0U : 1U;
    }
    CHECK(table.size() == living);
    CHECK(living > 100);
    CHECK(living < model.size());
}

}  // namespace
}  // namespace latmon
