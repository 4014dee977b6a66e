// SPDX-License-Identifier: Apache-2.0
//
// Which id belongs to which counter of a plugin and which peer, and what its series says.
#include "exporter/late_series.hpp"

#include "base/limits.hpp"

#include <doctest/doctest.h>
#include <array>

namespace latmon {
namespace {

constexpr std::uint32_t first = 300;
constexpr std::uint32_t first_peer = first + 2 * PluginCounters::capacity;

struct Bench {
    std::vector<std::string> exporters{"push", "file"};
    LateSeries late{first, "here", {.exporters = exporters, .cores = 2}};
};

}  // namespace

TEST_CASE("late_series: blocks lie one behind the other: exporters, then cores") {
    Bench bench;
    LateSeries& late = bench.late;
    CHECK(late.first_id() == first);
    CHECK(late.counters_of("push")->first_id() == first);
    CHECK(late.counters_of("file")->first_id() == first + PluginCounters::capacity);
    CHECK(late.counters_of("other") == nullptr);
    CHECK(late.peers(0).first_id() == first_peer);
    CHECK(late.peers(0).capacity() == limits::peer_series_per_core);
    CHECK(late.peers(1).first_id() == first_peer + limits::peer_series_per_core);
    CHECK(late.end_id() == first_peer + 2 * limits::peer_series_per_core);
    const std::vector<const PluginCounters*> all = late.all_counters();
    REQUIRE(all.size() == 2);
    CHECK(all[0]->exporter() == "push");
    CHECK(all[1]->exporter() == "file");
}

TEST_CASE("late_series: without exporters and cores there is nothing") {
    const LateSeries late(first, "here", {});
    CHECK(late.end_id() == first);
    CHECK_FALSE(late.find(first));
}

TEST_CASE("late_series: a plugin's counter is a counter of the node, about the exporter") {
    Bench bench;
    const std::uint32_t id = first + PluginCounters::capacity + 1;
    CHECK_FALSE(bench.late.find(id));
    REQUIRE(bench.late.counters_of("file")->find_or_add("rotations_total") != nullptr);
    CHECK_FALSE(bench.late.find(id));
    REQUIRE(bench.late.counters_of("file")->find_or_add("size_bytes") != nullptr);
    const std::optional<Series> series = bench.late.find(id);
    REQUIRE(series.has_value());
    CHECK(series->kind == LATMON_KIND_NODE);
    CHECK(series->name == "exporter_size_bytes");
    CHECK(series->source == "here");
    CHECK(series->target == "file");
    CHECK(series->flags == 0);
    CHECK(bench.late.find(id - 1)->name == "exporter_rotations_total");
    CHECK_FALSE(bench.late.find(first));
}

TEST_CASE("late_series: a peer's reflections come from the peer, to this node, with its tags") {
    Bench bench;
    const std::array<std::string_view, 2> tags{"site:home", "rack:2"};
    PeerSeries& peers = bench.late.peers(1);
    const std::optional<std::uint32_t> id =
        peers.find_or_add({.protocol = LATMON_PROTOCOL_TCP, .name = "web1", .tags = tags});
    REQUIRE(id == first_peer + limits::peer_series_per_core);
    const std::optional<Series> series = bench.late.find(*id);
    REQUIRE(series.has_value());
    CHECK(series->kind == LATMON_KIND_REFLECTION);
    CHECK(series->protocol == LATMON_PROTOCOL_TCP);
    CHECK(series->source == "web1");
    CHECK(series->target == "here");
    CHECK(series->name == "");
    CHECK(series->tags == std::vector<std::string>{"site:home", "rack:2"});
    CHECK(series->flags == LATMON_SERIES_PEER);
    CHECK_FALSE(bench.late.find(*id + 1));
    CHECK_FALSE(bench.late.find(first_peer));
}

TEST_CASE("late_series: ids out of all blocks are no series") {
    const Bench bench;
    CHECK_FALSE(bench.late.find(first - 1));
    CHECK_FALSE(bench.late.find(bench.late.end_id()));
    CHECK_FALSE(bench.late.find(UINT32_MAX));
}

}  // namespace latmon
