// SPDX-License-Identifier: Apache-2.0
//
// What a core-thread tells of itself: once an interval, of all of its probes, however many they
// are, and without holding up one of them.
#include "daemon/node_counters.hpp"
#include "daemon/probe_totals.hpp"
#include "support/sim_node.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <string_view>
#include <vector>

namespace latmon::sim {
namespace {

constexpr std::uint32_t probe_count = 3 * ProbeTotals::probes_per_step + 8;
constexpr Duration interval = Duration::from_ms(100);

// Each probe in a place of its own within the interval.
Plan many_probes() {
    std::vector<ProbePlan> probes;
    for (std::uint32_t index = 0; index < probe_count; ++index) {
        probes.push_back(probe_to("10.0.0.2", ProbeKind::udp, interval));
        probes.back().phase = interval * index / probe_count;
    }
    Plan plan = plan_with(std::move(probes));
    plan.node_interval = Duration::from_s(1);
    return plan;
}

struct Told {
    std::vector<std::int64_t> values;
    std::vector<std::int64_t> times_ns;
};

Told told_of(const Plan& plan, const std::vector<Sample>& samples, std::string_view name) {
    const std::vector<std::string> names = node_counter_names();
    const auto series = std::ranges::find(names, name);
    REQUIRE(series != names.end());
    const auto offset = static_cast<std::uint32_t>(series - names.begin());
    Told told;
    for (const Sample& sample : samples) {
        if (sample.kind != LATMON_KIND_NODE) continue;
        if (sample.series_id != first_node_series(plan) + offset) continue;
        told.values.push_back(sample.value);
        told.times_ns.push_back(sample.time_ns);
    }
    return told;
}

}  // namespace

TEST_CASE("node_samples: thousands of probes are summed, once an interval and on its grid") {
    World world;
    const Plan plan = many_probes();
    Node& near = world.add(plan, "10.0.0.1");
    world.add(plan_with({}), "10.0.0.2");
    world.start();
    world.run_for(Duration::from_ms(3'550));
    const std::vector<Sample> samples = near.take_samples();

    const Told sent = told_of(plan, samples, "probes_sent_total");
    REQUIRE(sent.values.size() == 3);
    for (std::size_t reading = 0; reading < 3; ++reading) {
        // Ten slots a second; the sums take a few turns, while probes go on.
        const std::int64_t least = static_cast<std::int64_t>(reading + 1) * 10 * probe_count;
        CHECK(sent.values[reading] >= least);
        CHECK(sent.values[reading] <= least + 4);
    }
    for (std::size_t reading = 1; reading < 3; ++reading) {
        const std::int64_t apart_ns = sent.times_ns[reading] - sent.times_ns[reading - 1];
        CHECK(std::abs(apart_ns - 1'000'000'000) < 1'000'000);
    }
    const Told lateness = told_of(plan, samples, "interval_lateness_ns_p50");
    CHECK(lateness.values.size() == 3);
    const Told cpu = told_of(plan, samples, "interval_cpu_ppm");
    CHECK(cpu.values.size() == 3);
}

TEST_CASE("node_samples: a node that sends nothing tells no lateness and no cost of a probe") {
    World world;
    Plan plan = plan_with({});
    plan.node_interval = Duration::from_s(1);
    Node& idle = world.add(plan, "10.0.0.1");
    world.start();
    world.run_for(Duration::from_ms(2'500));
    const std::vector<Sample> samples = idle.take_samples();
    CHECK(told_of(plan, samples, "probes_sent_total").values == std::vector<std::int64_t>{0, 0});
    CHECK(told_of(plan, samples, "interval_cpu_ppm").values.size() == 2);
    for (const char* name : {"interval_lateness_ns_p50", "interval_lateness_ns_max",
                             "interval_cpu_ns_per_packet", "interval_stamped_tx_ppm"}) {
        CAPTURE(name);
        CHECK(told_of(plan, samples, name).values.empty());
    }
}

}  // namespace latmon::sim
