// SPDX-License-Identifier: Apache-2.0
//
// When the next block is due. Nothing waits here: intervals are an hour, and what is compared is
// the time that the depot would wait for.
#include "push/depot.hpp"

#include "push/http.hpp"
#include "support/fake_host.hpp"

#include <doctest/doctest.h>
#include <limits>

namespace latmon::plugins::push {
namespace {

using latmon::test::FakeHost;

constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t hour_ns = 3'600'000'000'000;
constexpr BlockLimits no_limits{};

Settings hourly() {
    Settings settings;
    settings.flush_interval = std::chrono::hours(1);
    settings.batch_rows = 10;
    return settings;
}

// With a backlog in memory, which holds `bytes`.
Depot depot_of(const FakeHost& host, std::uint64_t bytes = 1 << 20) {
    return Depot(host.table(), hourly(),
                 std::make_unique<MemoryBacklog>(bytes, Overflow::drop_newest), "test");
}

Record rows(std::uint32_t count) {
    return {.rows = count, .payload = "payload"};
}

TEST_CASE("depot: what comes during a request waits for its own flush_interval") {
    const FakeHost host;
    Depot depot = depot_of(host);
    CHECK(depot.next_due_ns() == never_ns);
    REQUIRE(depot.put(rows(1)));
    depot.flush();
    CHECK(depot.next_due_ns() == 0);
    const Block block = depot.take(no_limits);
    REQUIRE(block.rows == 1);
    const std::int64_t before_ns = monotonic_ns();
    REQUIRE(depot.put(rows(1)));
    const std::int64_t after_ns = monotonic_ns();
    REQUIRE(depot.put(rows(1)));
    CHECK(depot.next_due_ns() == 0);  // The block under way.
    depot.finish(block, Fate::sent);
    CHECK(depot.next_due_ns() >= before_ns + hour_ns);
    CHECK(depot.next_due_ns() <= after_ns + hour_ns);
    const Block second = depot.take(no_limits);
    CHECK(second.rows == 2);
    depot.finish(second, Fate::sent);
    CHECK(depot.next_due_ns() == never_ns);
}

TEST_CASE("depot: what was late before a block is late after it, and what is full is due") {
    const FakeHost host;
    Depot depot = depot_of(host);
    for (int count = 0; count < 3; ++count) {
        REQUIRE(depot.put(rows(4)));
    }
    CHECK(depot.next_due_ns() == 0);  // Full.
    depot.flush();
    Block block = depot.take({.records = 2});
    depot.finish(block, Fate::sent);
    CHECK(depot.next_due_ns() == 0);  // Not full, but late.
    block = depot.take(no_limits);
    REQUIRE(depot.put(rows(4)));
    depot.finish(block, Fate::sent);
    CHECK(depot.next_due_ns() > 0);
}

TEST_CASE("depot: what a shortened block gives back is as late as it was") {
    const FakeHost host;
    Depot depot = depot_of(host);
    REQUIRE(depot.put(rows(1)));
    REQUIRE(depot.put(rows(1)));
    depot.flush();
    REQUIRE(depot.take(no_limits).rows == 2);
    depot.shorten(1);
    const Block half = depot.take(no_limits);
    depot.finish(half, Fate::sent);
    CHECK(depot.next_due_ns() == 0);
}

TEST_CASE("depot: a steady overload is told once") {
    const FakeHost host;
    Depot depot = depot_of(host, 0);
    for (int count = 0; count < 3; ++count) {
        CHECK_FALSE(depot.put(rows(1)));
        depot.finish(Block{}, Fate::sent);
    }
    const std::string words = "there is no room for more rows";
    CHECK(host.log().find(words) != std::string::npos);
    CHECK(host.log().find(words) == host.log().rfind(words));
    CHECK(depot.accounts().backlog.dropped == 3);
}

}  // namespace
}  // namespace latmon::plugins::push
