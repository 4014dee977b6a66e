// SPDX-License-Identifier: Apache-2.0
//
// What has to change for another configuration to run.
#include "config/plan.hpp"
#include "unit/config/config_text.hpp"

#include <doctest/doctest.h>
#include <set>
#include <string>

namespace latmon {
namespace {

// What runs, as the daemon would have it.
struct Running {
    explicit Running(const Config& config) {
        const std::vector<std::uint32_t> cpus{0, 1};
        plan = *make_plan(config, cpus);
        for (const TargetConfig& each : plan.targets)
            targets.targets.push_back(&each);
        targets.must_change.resize(plan.targets.size());
        for (const CorePlan& core : plan.cores) {
            std::vector<const ProbePlan*>& probes = targets.probes.emplace_back();
            for (const ProbePlan& probe : core.probes)
                probes.push_back(&probe);
            targets.cpus.push_back(core.cpu);
        }
    }
    Plan plan;
    RunningTargets targets;
};

}  // namespace

TEST_CASE("plan_change: the same targets in another order change nothing") {
    const Running running(config_of(two_cores + target_text(1) + target_text(2) + target_text(3)));
    const Result<PlanChange> change = plan_change(
        config_of(two_cores + "# moved\n\n" + target_text(3) + target_text(1) + target_text(2)),
        running.targets);
    REQUIRE(change.has_value());
    CHECK(change->kept == 3);
    CHECK(change->removed.empty());
    CHECK(change->added.empty());
    CHECK(change->cores[0].probes.empty());
    CHECK(change->cores[1].probes.empty());
    for (std::size_t index = 0; index < 3; ++index)
        CHECK(change->targets[index]->host == running.plan.targets[index].host);
}

TEST_CASE("plan_change: any key that differs is a target that goes and one that comes") {
    const Running running(config_of(two_cores + target_text(1) + target_text(2)));
    for (const char* const more :
         {"interval = 7", "tags = [\"a:b\"]", "label = \"x\"", "dscp = 3", "udp_port = 9",
          "descriptor = false", "timeout = 0.5", "max_lost = 3", "rtt = false"}) {
        CAPTURE(more);
        const Result<PlanChange> change = plan_change(
            config_of(two_cores + target_text(1, more) + target_text(2)), running.targets);
        REQUIRE(change.has_value());
        CHECK(change->removed == std::vector<std::uint32_t>{0});
        CHECK(change->added == std::vector<std::uint32_t>{0});
        CHECK(change->kept == 1);
    }
}

TEST_CASE("plan_change: what comes takes what is free, and nothing that is somebody's") {
    std::string text = two_cores;
    for (int number = 1; number <= 40; ++number)
        text += target_text(number);
    const Running running(config_of(text));
    std::string next = two_cores;
    for (int number = 1; number <= 60; ++number) {
        if (number % 3 != 0) next += target_text(number);
    }
    const Result<PlanChange> change = plan_change(config_of(next), running.targets);
    REQUIRE(change.has_value());
    CHECK(change->removed.size() == 13);
    CHECK(change->added.size() == 13);
    std::set<std::uint32_t> indices, targets;
    for (std::size_t core = 0; core < 2; ++core) {
        std::set<std::uint32_t> places;
        std::set<std::int64_t> phases;
        const auto take = [&](const ProbePlan& probe) {
            CHECK(indices.insert(probe.probe_index).second);
            CHECK(targets.insert(probe.target_index).second);
            CHECK(places.insert(probe.place).second);
            CHECK(phases.insert(probe.phase.ns).second);
            CHECK(probe.ssid == 1 + probe.probe_index);
        };
        for (const ProbePlan* const probe : running.targets.probes[core]) {
            if (change->targets[probe->target_index] &&
                change->targets[probe->target_index]->host == probe->host) {
                take(*probe);
            }
        }
        for (const ProbePlan& probe : change->cores[core].probes)
            take(probe);
        CHECK(places.size() == 20);
    }
    CHECK(indices.size() == 40);
    CHECK(*indices.rbegin() == 39);
}

TEST_CASE("plan_change: a target whose key is another one comes anew, though no key differs") {
    const Config config = config_of(two_cores + target_text(1) + target_text(2));
    Running running(config);
    running.targets.must_change[1] = true;
    const Result<PlanChange> change = plan_change(config, running.targets);
    REQUIRE(change.has_value());
    CHECK(change->removed == std::vector<std::uint32_t>{1});
    CHECK(change->added == std::vector<std::uint32_t>{1});
}

}  // namespace latmon
