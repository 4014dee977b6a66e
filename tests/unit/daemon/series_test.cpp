// SPDX-License-Identifier: Apache-2.0
//
// Series ids are where core.hpp says they are, and each has its name.
#include "daemon/series.hpp"

#include "daemon/core.hpp"
#include "daemon/node_counters.hpp"

#include <doctest/doctest.h>
#include <set>

namespace latmon {
namespace {

Plan plan_with_two_probes() {
    Plan plan;
    plan.name = "here";
    TargetConfig target;
    target.host = "10.0.0.2";
    target.label = "there";
    plan.targets.push_back(target);
    ProbePlan udp;
    udp.kind = ProbeKind::udp;
    udp.port = 8001;
    udp.wants_rtt = false;
    ProbePlan connect;
    connect.kind = ProbeKind::tcp_connect;
    connect.probe_index = 1;
    plan.cores.push_back({.cpu = 0, .probes = {udp, connect}});
    plan.probe_count = 2;
    ExporterConfig exporter;
    exporter.name = "out";
    plan.exporters.push_back(exporter);
    return plan;
}

}  // namespace

TEST_CASE("series: probes come first by their index, then reflectors, then the node's counters") {
    const Plan plan = plan_with_two_probes();
    const SeriesTable table = make_series(plan);
    CHECK(table[0].kind == LATMON_KIND_EXCHANGE);
    CHECK(table[0].protocol == LATMON_PROTOCOL_UDP);
    CHECK(table[0].target == "there");
    CHECK(table[0].host == "10.0.0.2");
    CHECK(table[0].flags == LATMON_SERIES_NO_RTT);
    CHECK(table[1].kind == LATMON_KIND_CONNECT);
    CHECK(table[udp_reflection_series(plan)].protocol == LATMON_PROTOCOL_UDP);
    CHECK(table[tcp_reflection_series(plan)].protocol == LATMON_PROTOCOL_TCP);
    CHECK(table[tcp_reflection_series(plan)].kind == LATMON_KIND_REFLECTION);
    CHECK(table[first_node_series(plan)].kind == LATMON_KIND_NODE);
    CHECK(table.size() == first_node_series(plan) + node_counter_count(1));
}

TEST_CASE("node_counters: what latmon counts of every exporter no plugin can count again") {
    SeriesTable table;
    append_node_series(table, "here", {"one"});
    std::uint32_t taken = 0;
    for (const Series& series : table) {
        if (series.target.empty()) continue;
        REQUIRE(series.name.starts_with("exporter_"));
        CHECK_FALSE(is_counter_name(series.name.substr(std::string_view("exporter_").size())));
        ++taken;
    }
    CHECK(taken > 0);
    CHECK(is_counter_name("sent_samples_total"));
}

TEST_CASE("node_counters: every counter of a node has a name of its own") {
    SeriesTable table;
    append_node_series(table, "here", {"one", "two"});
    CHECK(table.size() == node_counter_count(2));
    std::set<std::pair<std::string, std::string>> names;
    for (const Series& series : table) {
        CHECK(!series.name.empty());
        CHECK(series.source == "here");
        names.insert({series.name, series.target});
    }
    CHECK(names.size() == table.size());
}

}  // namespace latmon
