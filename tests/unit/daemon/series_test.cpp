// SPDX-License-Identifier: Apache-2.0
//
// What the registry is told of targets, cores and exporters.
#include "daemon/series.hpp"

#include "daemon/node_counters.hpp"

#include <doctest/doctest.h>
#include <set>

namespace latmon {
namespace {

TargetConfig target() {
    TargetConfig target;
    target.host = "10.0.0.2";
    target.label = "there";
    target.tags = {"isp:a"};
    return target;
}

ProbePlan probe_of(ProbeKind kind) {
    ProbePlan probe;
    probe.kind = kind;
    probe.port = 8001;
    probe.interval = Duration::from_ms(10);
    probe.timeout = Duration::from_s(1);
    return probe;
}

}  // namespace

TEST_CASE("series: a probe has its own, and behind it those of its path's clock") {
    SeriesRegistry registry("here");
    ProbePlan probe = probe_of(ProbeKind::udp);
    probe.wants_rtt = false;
    const SeriesGroup group = add_probe_series(registry, target(), probe, true);
    CHECK(group.count == 1 + clock_series_per_probe);
    CHECK(registry.find(group.first_id) == nullptr);
    registry.begin(group);
    const latmon_series_t* const series = registry.find(group.first_id);
    REQUIRE(series != nullptr);
    CHECK(series->kind == LATMON_KIND_EXCHANGE);
    CHECK(series->protocol == LATMON_PROTOCOL_UDP);
    CHECK(series->source == std::string("here"));
    CHECK(series->target == std::string("there"));
    CHECK(series->host == std::string("10.0.0.2"));
    CHECK(series->tags[0] == std::string("isp:a"));
    CHECK(series->flags == LATMON_SERIES_NO_RTT);
    CHECK(series->interval_ns == 10'000'000);
    for (std::uint32_t index = 0; index < clock_series_per_probe; ++index) {
        const latmon_series_t* const clock = registry.find(group.first_id + 1 + index);
        REQUIRE(clock != nullptr);
        CHECK(clock->kind == LATMON_KIND_NODE);
        CHECK(clock->name == clock_series_names[index]);
        CHECK(clock->target == series->target);
        CHECK(clock->tags == series->tags);
    }
}

TEST_CASE("series: exchanges have their target's objective, handshakes and clocks have none") {
    SeriesRegistry registry("here");
    TargetConfig promised = target();
    promised.objective = ObjectiveConfig{.ratio = 0.99, .rtt = Duration::from_us(200)};
    const auto begun = [&](ProbeKind kind) {
        const SeriesGroup group = add_probe_series(registry, promised, probe_of(kind), true);
        registry.begin(group);
        return group.first_id;
    };
    const std::uint32_t exchange = begun(ProbeKind::udp);
    CHECK(registry.find(exchange)->objective_ratio == 0.99);
    CHECK(registry.find(exchange)->objective_rtt_ns == 200'000);
    CHECK(registry.find(exchange + 1)->objective_ratio == 0);
    CHECK(registry.find(begun(ProbeKind::tcp_connect))->objective_ratio == 0);
}

TEST_CASE("series: a handshake reads no clock, and nobody's does where that is switched off") {
    SeriesRegistry registry("here");
    const SeriesGroup connect =
        add_probe_series(registry, target(), probe_of(ProbeKind::tcp_connect), true);
    CHECK(connect.count == 1);
    registry.begin(connect);
    CHECK(registry.find(connect.first_id)->kind == LATMON_KIND_CONNECT);
    CHECK(registry.find(connect.first_id)->protocol == LATMON_PROTOCOL_TCP);
    CHECK(add_probe_series(registry, target(), probe_of(ProbeKind::udp), false).count == 1);
}

TEST_CASE("series: a core's are the two reflectors' and those of the node's counters") {
    SeriesRegistry registry("here");
    const CoreSeries series = add_core_series(registry);
    CHECK(registry.find(series.udp_reflection)->protocol == LATMON_PROTOCOL_UDP);
    CHECK(registry.find(series.tcp_reflection)->protocol == LATMON_PROTOCOL_TCP);
    CHECK(registry.find(series.tcp_reflection)->kind == LATMON_KIND_REFLECTION);
    const std::vector<std::string> names = node_counter_names();
    REQUIRE(names.size() == node_counter_count());
    for (std::uint32_t index = 0; index < names.size(); ++index) {
        CHECK(registry.find(series.node + index)->name == names[index]);
        CHECK(registry.find(series.node + index)->source == std::string("here"));
    }
    CHECK(registry.end_id() == series.node + names.size());
}

TEST_CASE("node_counters: what latmon counts of every exporter no plugin can count again") {
    for (const QueueCounterName& counter : queue_counter_names) {
        constexpr std::string_view prefix = "exporter_";
        REQUIRE(counter.name.starts_with(prefix));
        CHECK_FALSE(is_counter_name(counter.name.substr(prefix.size())));
    }
    CHECK(is_counter_name("sent_samples_total"));
}

TEST_CASE("node_counters: every counter of a node has a name of its own") {
    const std::vector<std::string> names = node_counter_names();
    std::set<std::string_view> different(names.begin(), names.end());
    for (const QueueCounterName& counter : queue_counter_names)
        different.insert(counter.name);
    different.insert(interface_series_names.begin(), interface_series_names.end());
    different.insert(reload_series_names.begin(), reload_series_names.end());
    CHECK(different.size() == names.size() + queue_counter_names.size() +
                                  interface_series_names.size() + reload_series_names.size());
    CHECK_FALSE(different.contains(""));
}

}  // namespace latmon
