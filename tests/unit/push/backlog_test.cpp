// SPDX-License-Identifier: Apache-2.0
//
// The backlogs in memory: order, bounds, who gives way, and that every row is counted once.
#include "push/backlog.hpp"

#include <doctest/doctest.h>
#include <set>

namespace latmon::plugins::push {
namespace {

constexpr BlockLimits no_limits{};
constexpr std::uint64_t record_cost = sizeof(Record) + 10;

Record record_of(char letter, std::uint32_t rows = 1) {
    return {.rows = rows, .payload = std::string(10, letter)};
}

std::string letters_of(const Block& block) {
    std::string letters;
    for (const Record& record : block.records) {
        letters += record.payload[0];
    }
    return letters;
}

TEST_CASE("backlog: records come out in the order made, as many as fit") {
    MemoryBacklog backlog(1'000'000, Overflow::drop_oldest);
    for (const char letter : {'a', 'b', 'c', 'd', 'e'}) {
        REQUIRE(backlog.push(record_of(letter, 2)));
    }
    CHECK(letters_of(backlog.take({.records = 2})) == "ab");
    backlog.finish();
    CHECK(letters_of(backlog.take({.rows = 5})) == "cd");
    backlog.finish();
    REQUIRE(backlog.push(record_of('f', 2)));
    CHECK(letters_of(backlog.take({.bytes = 19})) == "e");
    backlog.finish();
    CHECK(letters_of(backlog.take(no_limits)) == "f");
    backlog.finish();
    CHECK(backlog.take(no_limits).records.empty());
    CHECK(backlog.counts().waiting == 0);
    CHECK(backlog.counts().waiting_bytes == 0);
}

TEST_CASE("backlog: a record beyond every limit is a block of its own") {
    MemoryBacklog backlog(1'000'000, Overflow::drop_oldest);
    REQUIRE(backlog.push(record_of('a', 100)));
    REQUIRE(backlog.push(record_of('b', 100)));
    CHECK(letters_of(backlog.take({.rows = 1, .bytes = 1})) == "a");
}

TEST_CASE("backlog: the block under way comes again, the same, until it is done") {
    MemoryBacklog backlog(1'000'000, Overflow::drop_oldest);
    REQUIRE(backlog.push(record_of('a', 3)));
    const Block first = backlog.take(no_limits);
    const std::string id = first.id;
    CHECK(id.size() == 32);
    REQUIRE(backlog.push(record_of('b', 4)));
    const Block again = backlog.take(no_limits);
    CHECK(letters_of(again) == "a");
    CHECK(again.rows == 3);
    CHECK(again.id == id);
    CHECK(backlog.counts().waiting == 7);
    backlog.finish();
    const Block next = backlog.take(no_limits);
    CHECK(letters_of(next) == "b");
    CHECK(next.id != id);
}

TEST_CASE("backlog: a shortened block has a new id, and the rest comes next") {
    MemoryBacklog backlog(1'000'000, Overflow::drop_oldest);
    for (const char letter : {'a', 'b', 'c', 'd'}) {
        REQUIRE(backlog.push(record_of(letter)));
    }
    const std::string id = backlog.take(no_limits).id;
    backlog.shorten(2);
    const Block half = backlog.take(no_limits);
    CHECK(letters_of(half) == "ab");
    CHECK(half.rows == 2);
    CHECK(half.id != id);
    backlog.finish();
    CHECK(letters_of(backlog.take(no_limits)) == "cd");
    CHECK(backlog.counts().waiting == 2);
}

TEST_CASE("backlog: drop_oldest drops the oldest, and counts to the row") {
    MemoryBacklog backlog(3 * record_cost, Overflow::drop_oldest);
    for (const char letter : {'a', 'b', 'c', 'd', 'e'}) {
        REQUIRE(backlog.push(record_of(letter, 5)));
    }
    CHECK(backlog.counts().dropped == 10);
    CHECK(backlog.counts().waiting == 15);
    CHECK(letters_of(backlog.take(no_limits)) == "cde");
}

TEST_CASE("backlog: drop_newest drops what comes, and counts to the row") {
    MemoryBacklog backlog(3 * record_cost, Overflow::drop_newest);
    for (const char letter : {'a', 'b', 'c'}) {
        REQUIRE(backlog.push(record_of(letter, 5)));
    }
    CHECK_FALSE(backlog.push(record_of('d', 5)));
    CHECK(backlog.counts().dropped == 5);
    CHECK(letters_of(backlog.take(no_limits)) == "abc");
}

TEST_CASE("backlog: drop_oldest never drops what is under way") {
    MemoryBacklog backlog(3 * record_cost, Overflow::drop_oldest);
    REQUIRE(backlog.push(record_of('a')));
    REQUIRE(backlog.push(record_of('b')));
    CHECK(letters_of(backlog.take(no_limits)) == "ab");
    REQUIRE(backlog.push(record_of('c')));
    REQUIRE(backlog.push(record_of('d')));  // In the place of c.
    CHECK(backlog.counts().dropped == 1);
    CHECK(letters_of(backlog.take(no_limits)) == "ab");
    backlog.finish();
    CHECK(letters_of(backlog.take(no_limits)) == "d");
    backlog.finish();

    REQUIRE(backlog.push(record_of('e')));
    REQUIRE(backlog.push(record_of('f')));
    REQUIRE(backlog.push(record_of('g')));
    CHECK(letters_of(backlog.take(no_limits)) == "efg");
    CHECK_FALSE(backlog.push(record_of('h')));  // Everything is under way.
    CHECK(backlog.counts().dropped == 2);
    CHECK(backlog.counts().waiting == 3);
}

TEST_CASE("backlog: a record that is larger than all room drops nobody but itself") {
    MemoryBacklog backlog(3 * record_cost, Overflow::drop_oldest);
    REQUIRE(backlog.push(record_of('a')));
    CHECK_FALSE(backlog.push({.rows = 9, .payload = std::string(1'000, 'x')}));
    CHECK(backlog.counts().dropped == 9);
    CHECK(letters_of(backlog.take(no_limits)) == "a");
}

TEST_CASE("snapshot: a new state takes the place of the one that waits") {
    SnapshotBacklog backlog;
    REQUIRE(backlog.push(record_of('a', 3)));
    REQUIRE(backlog.push(record_of('b', 4)));
    CHECK(backlog.counts().superseded == 3);
    CHECK(letters_of(backlog.take(no_limits)) == "b");
    backlog.finish();
    CHECK(backlog.take(no_limits).records.empty());
    CHECK(backlog.counts().waiting == 0);
}

TEST_CASE("snapshot: one that failed gives way to a newer one, with a new id") {
    SnapshotBacklog backlog;
    REQUIRE(backlog.push(record_of('a', 3)));
    const std::string id = backlog.take(no_limits).id;
    CHECK(backlog.take(no_limits).id == id);
    REQUIRE(backlog.push(record_of('b', 4)));
    const Block newer = backlog.take(no_limits);
    CHECK(letters_of(newer) == "b");
    CHECK(newer.id != id);
    CHECK(backlog.counts().superseded == 3);
    CHECK(backlog.counts().waiting == 4);
}

TEST_CASE("backlog: ids are 32 hex digits and never the same") {
    std::set<std::string> ids;
    for (int count = 0; count < 1'000; ++count) {
        const std::string id = make_block_id();
        CHECK(id.size() == 32);
        CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
        ids.insert(id);
    }
    CHECK(ids.size() == 1'000);
}

}  // namespace
}  // namespace latmon::plugins::push
