// SPDX-License-Identifier: Apache-2.0
//
// Who has which id, and who sees what, while series come and go.
#include "sample/series_registry.hpp"

#include <doctest/doctest.h>
#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace latmon {
namespace {

constexpr std::array<std::string_view, 2> two_names{"offset", "skew"};

Series series_of(const std::string& target, std::vector<std::string> tags = {"site:a"}) {
    Series series;
    series.kind = LATMON_KIND_EXCHANGE;
    series.protocol = LATMON_PROTOCOL_UDP;
    series.source = "here";
    series.target = target;
    series.host = target;
    series.tags = std::move(tags);
    series.port = 8001;
    series.interval = Duration::from_ms(10);
    series.timeout = Duration::from_s(1);
    return series;
}

SeriesGroup add_live(SeriesRegistry& registry, const Series& series) {
    const SeriesGroup group = registry.add(series, two_names);
    registry.begin(group);
    return group;
}

}  // namespace

TEST_CASE("series_registry: a group has ids in a row, and is seen from begin() on") {
    SeriesRegistry registry;
    const SeriesGroup group = registry.add(series_of("a"), two_names);
    CHECK(group.count == 3);
    CHECK(registry.end_id() == 3);
    const SeriesGroup next = registry.add(series_of("b"), two_names);
    CHECK(ids_of(next) == std::vector<std::uint32_t>{3, 4, 5});
    CHECK(ids_of({}).empty());
    for (std::uint32_t index = 0; index < 3; ++index)
        CHECK(registry.find(group.first_id + index) == nullptr);
    registry.begin(group);
    const latmon_series_t* const head = registry.find(group.first_id);
    REQUIRE(head != nullptr);
    CHECK(head->struct_size == sizeof(latmon_series_t));
    CHECK(head->series_id == group.first_id);
    CHECK(head->kind == LATMON_KIND_EXCHANGE);
    CHECK(head->name == std::string(""));
    CHECK(head->interval_ns == 10'000'000);
    const latmon_series_t* const last = registry.find(group.first_id + 2);
    REQUIRE(last != nullptr);
    CHECK(last->series_id == group.first_id + 2);
    CHECK(last->kind == LATMON_KIND_NODE);
    CHECK(last->name == std::string("skew"));
    CHECK(last->target == std::string("a"));
    CHECK(registry.find(3) == nullptr);
    CHECK(registry.find(UINT32_MAX) == nullptr);
}

TEST_CASE("series_registry: who looks later does not see what has ended, who was there does") {
    SeriesRegistry registry;
    const SeriesGroup group = add_live(registry, series_of("a"));
    const std::uint32_t early = registry.epoch();
    const latmon_series_t* const series = registry.find(group.first_id, early);
    registry.end(group);
    const std::uint32_t late = registry.epoch();
    CHECK(registry.find(group.first_id, early) == series);
    CHECK(registry.find(group.first_id, late) == nullptr);
    CHECK(registry.find(group.first_id + 1, late) == nullptr);
}

TEST_CASE("series_registry: the same that comes back has its id again, another never gets it") {
    SeriesRegistry registry;
    const SeriesGroup first = add_live(registry, series_of("a"));
    registry.end(first);
    std::vector<Series> others{series_of("b"),     series_of("a", {"site:b"}),
                               series_of("a", {}), series_of("a"),
                               series_of("a"),     series_of("a"),
                               series_of("a"),     series_of("a")};
    others[3].port = 8002;
    others[4].interval = Duration::from_ms(11);
    others[5].timeout = Duration::from_s(2);
    others[6].flags = LATMON_SERIES_NO_RTT;
    others[7].objective_ratio = 0.9;
    for (const Series& other : others)
        CHECK(add_live(registry, other).first_id >= 3);
    // With other names behind it it is another group.
    CHECK(registry.add(series_of("a")).first_id != first.first_id);
    const std::uint32_t before = registry.end_id();
    for (int round = 0; round < 1'000; ++round) {
        const SeriesGroup again = add_live(registry, series_of("a"));
        REQUIRE(again.first_id == first.first_id);
        REQUIRE(registry.find(first.first_id, registry.epoch()) != nullptr);
        registry.end(again);
    }
    CHECK(registry.end_id() == before);
}

TEST_CASE("series_registry: while one lives, or is to live, its twin has an id of its own") {
    SeriesRegistry registry;
    const SeriesGroup live = add_live(registry, series_of("a"));
    const SeriesGroup hidden = registry.add(series_of("a"), two_names);
    const SeriesGroup third = registry.add(series_of("a"), two_names);
    CHECK(hidden.first_id != live.first_id);
    CHECK(third.first_id != hidden.first_id);
    registry.end(hidden);  // It was never begun.
    CHECK(registry.find(hidden.first_id) == nullptr);
    CHECK(registry.add(series_of("a"), two_names).first_id == hidden.first_id);
}

TEST_CASE("series_registry: the kind is known of what is seen, asked for or not") {
    SeriesRegistry registry;
    const SeriesGroup group = registry.add(series_of("a"), two_names);
    CHECK_FALSE(registry.kind_of(group.first_id));
    CHECK_FALSE(registry.kind_of(group.first_id + 1));
    registry.begin(group);
    CHECK(registry.kind_of(group.first_id) == LATMON_KIND_EXCHANGE);
    CHECK(registry.kind_of(group.first_id + 1) == LATMON_KIND_NODE);
    REQUIRE(registry.find(group.first_id + 1) != nullptr);
    CHECK(registry.kind_of(group.first_id + 1) == LATMON_KIND_NODE);
    CHECK_FALSE(registry.kind_of(group.first_id + 3));
    registry.end(group);  // Who asks for no epoch in particular still sees it.
    CHECK(registry.kind_of(group.first_id) == LATMON_KIND_EXCHANGE);
    CHECK(registry.kind_of(group.first_id + 2) == LATMON_KIND_NODE);
    CHECK_FALSE(registry.kind_of(UINT32_MAX));
}

TEST_CASE("series_registry: who asks late for one that is over sees it by the same rule") {
    SeriesRegistry registry;
    const SeriesGroup group = add_live(registry, series_of("a"));
    const std::uint32_t early = registry.epoch();
    registry.end(group);
    CHECK(registry.find(group.first_id + 1, registry.epoch()) == nullptr);
    const latmon_series_t* const series = registry.find(group.first_id + 1, early);
    REQUIRE(series != nullptr);
    CHECK(series->name == std::string("offset"));
    CHECK(registry.find(group.first_id + 1, early) == series);
}

TEST_CASE("series_registry: strings and tags are there once") {
    SeriesRegistry registry;
    const SeriesGroup group = add_live(registry, series_of("a"));
    const SeriesGroup other = add_live(registry, series_of("b"));
    const latmon_series_t* const first = registry.find(group.first_id);
    CHECK(registry.find(group.first_id + 1)->tags == first->tags);
    CHECK(registry.find(group.first_id + 1)->target == first->target);
    CHECK(registry.find(other.first_id)->tags == first->tags);
    CHECK(registry.find(other.first_id)->source == first->source);
}

TEST_CASE("series_registry: a peer's is there once the peer has said who it is") {
    SeriesRegistry registry("here");
    const SeriesGroup before = add_live(registry, series_of("a"));
    PeerSeries& peers = registry.add_peers(8);
    const SeriesGroup behind = add_live(registry, series_of("b"));
    CHECK(peers.first_id() == before.first_id + 3);
    CHECK(behind.first_id == peers.first_id() + 8);
    const std::uint32_t id = peers.first_id();
    CHECK(registry.find(id) == nullptr);
    const std::array<std::string_view, 2> tags{"site:home", "rack:2"};
    REQUIRE(peers.find_or_add({.protocol = LATMON_PROTOCOL_TCP, .name = "web1", .tags = tags}) ==
            id);
    const latmon_series_t* const series = registry.find(id, registry.epoch());
    REQUIRE(series != nullptr);
    CHECK(series->series_id == id);
    CHECK(series->kind == LATMON_KIND_REFLECTION);
    CHECK(series->protocol == LATMON_PROTOCOL_TCP);
    CHECK(series->source == std::string("web1"));
    CHECK(series->target == std::string("here"));
    CHECK(series->tags_count == 2);
    CHECK(series->tags[1] == std::string("rack:2"));
    CHECK(series->flags == LATMON_SERIES_PEER);
    CHECK(registry.find(id) == series);
    CHECK(registry.find(id + 1) == nullptr);
}

TEST_CASE("series_registry: threads that look see whole series, while others come and go") {
    SeriesRegistry registry("here");
    PeerSeries& peers = registry.add_peers(500);
    std::atomic<bool> is_over = false;
    std::atomic<std::uint64_t> torn = 0;
    const auto look = [&] {
        std::vector<const latmon_series_t*> seen(500);
        while (!is_over.load()) {
            for (std::uint32_t id = 0; id < registry.end_id(); ++id) {
                const latmon_series_t* const series = registry.find(id);
                if (series == nullptr) continue;
                if (series->series_id != id || series->source == std::string("")) ++torn;
                if (id >= seen.size()) continue;
                if (seen[id] != nullptr && seen[id] != series) ++torn;
                seen[id] = series;
            }
        }
    };
    std::thread one(look);
    std::thread other(look);
    for (int round = 0; round < 300; ++round) {
        static_cast<void>(peers.find_or_add({.name = "peer" + std::to_string(round), .tags = {}}));
        const SeriesGroup group = add_live(registry, series_of("t" + std::to_string(round % 50)));
        if (round % 2 == 0) registry.end(group);
    }
    is_over = true;
    one.join();
    other.join();
    CHECK(torn == 0);
}

}  // namespace latmon
