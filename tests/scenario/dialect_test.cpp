// SPDX-License-Identifier: Apache-2.0
//
// protocol = "auto": whoever the far end is, it is found out what it speaks, and nothing of the
// Python tool's is disturbed that need not be.
#include "scenario/old_node.hpp"

#include <doctest/doctest.h>
#include <algorithm>

namespace latmon::sim {
namespace {

constexpr Duration ms = Duration::from_ms(1);

// In the ancestor's shape of a file, its format comes first.
Plan automatic_plan(ProbeKind kind, bool is_ancestor_first) {
    ProbePlan probe = probe_to(far_address, kind, ms);
    probe.protocol = ProbeProtocol::automatic;
    probe.is_ancestor_first = is_ancestor_first;
    probe.size_bytes = 300;
    probe.node_name = "near";
    return plan_with({probe});
}

struct WithOldNode : NearAndOld {
    WithOldNode(ProbeKind kind, bool is_ancestor_first)
        : NearAndOld(automatic_plan(kind, is_ancestor_first)) {}
};

struct WithLatmon {
    WithLatmon(ProbeKind kind, bool is_ancestor_first, bool answers_ancestor)
        : near(world.add(automatic_plan(kind, is_ancestor_first), near_address)),
          far(world.add(far_plan(answers_ancestor), far_address)) {
        world.start();
        world.run_for(Duration::from_ms(800));
    }
    static Plan far_plan(bool answers_ancestor) {
        Plan plan = plan_with({});
        plan.reflector.answers_ancestor = answers_ancestor;
        return plan;
    }
    [[nodiscard]] const ProbeCounters& counters() { return near.core().counters(0); }
    [[nodiscard]] std::uint64_t asked() {
        return far.core().udp_reflector().read(ReflectReason::reflected_ancestor) +
               far.core().tcp_reflector().reflected_ancestor.read();
    }
    // Of those that were answered, how many by all that STAMP has.
    [[nodiscard]] std::ptrdiff_t answers_with_t3() {
        const std::vector<Sample> samples = near.take_samples();
        return std::count_if(samples.begin(), samples.end(), [](const Sample& sample) {
            return sample.status == LATMON_STATUS_OK && (sample.valid & LATMON_HAS_T3) != 0;
        });
    }

    World world;
    Node& near;
    Node& far;
};

}  // namespace

TEST_CASE("auto: STAMP first finds latmon at once, and nothing else is ever sent") {
    for (const ProbeKind kind : {ProbeKind::udp, ProbeKind::tcp}) {
        WithLatmon pair(kind, false, true);
        CHECK(pair.asked() == 0);
        CHECK(pair.counters().lost.read() == 0);
        CHECK(pair.counters().reopened.read() == 0);
        CHECK(pair.answers_with_t3() >= 796);
    }
}

TEST_CASE("auto: in the ancestor's shape latmon is known by its first answer") {
    for (const ProbeKind kind : {ProbeKind::udp, ProbeKind::tcp}) {
        WithLatmon pair(kind, true, true);
        CHECK(pair.asked() == 1);
        CHECK(pair.counters().answered.read() >= 796);
        CHECK(pair.counters().lost.read() == 0);
        CHECK(pair.counters().unreachable.read() == 0);
        CHECK(pair.counters().invalid.read() == 0);
        CHECK(pair.counters().reopened.read() == 0);
        CHECK(pair.answers_with_t3() >= 795);
    }
}

TEST_CASE("auto: a reflector of STAMP alone is found after three probes, whatever comes first") {
    for (const ProbeKind kind : {ProbeKind::udp, ProbeKind::tcp}) {
        WithLatmon pair(kind, true, false);
        CHECK(pair.asked() == 0);
        CHECK(pair.answers_with_t3() >= 550);
        CHECK(pair.counters().lost.read() <= 110);
        CHECK(pair.counters().answered.read() >= 550);
    }
}

TEST_CASE("auto: in the ancestor's shape an old node sees no STAMP, and one blank alone") {
    for (const ProbeKind kind : {ProbeKind::udp, ProbeKind::tcp}) {
        WithOldNode pair(kind, true);
        pair.run(Duration::from_ms(500));
        CHECK(pair.counters().answered.read() >= 497);
        CHECK(pair.counters().lost.read() == 0);
        CHECK(pair.counters().reopened.read() == 0);
        CHECK(pair.old.tracebacks == 0);
        CHECK(pair.old.out_of_sequence == 0);
        CHECK(pair.old.requests.at(0).find("|[] |0") != std::string::npos);
        const auto asking =
            std::count_if(pair.old.requests.begin(), pair.old.requests.end(),
                          [](const std::string& text) { return text.contains(' '); });
        CHECK(asking == 1);
    }
}

TEST_CASE("auto: two losses do not show an old node STAMP, three do") {
    for (const std::uint32_t lost : {2U, 3U}) {
        World world;
        Plan plan = automatic_plan(ProbeKind::udp, true);
        // Each probe is given up before the next.
        plan.cores[0].probes[0].interval = Duration::from_ms(150);
        Node& near = world.add(std::move(plan), near_address);
        OldNode old(world, far_address);
        std::uint32_t replies = 0;
        world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
            const bool is_lost = packet.from.port == 8001 && ++replies <= lost;
            return is_lost ? std::vector<Duration>{} : std::vector{Duration::from_us(50)};
        };
        old.watch();
        world.start();
        world.run_for(Duration::from_s(3));
        CHECK(old.tracebacks == (lost == 2 ? 0 : 3));
        CHECK(near.core().counters(0).answered.read() >= 12);
        CHECK(near.core().counters(0).lost.read() == (lost == 2 ? 2 : 6));
    }
}

TEST_CASE("auto: STAMP first comes to an old node, and stays with what it answers") {
    WithOldNode pair(ProbeKind::udp, false);
    pair.run(Duration::from_s(1));
    CHECK(pair.old.tracebacks >= 3);
    CHECK(pair.old.tracebacks <= 110);  // What is sent until three have timed out.
    CHECK(pair.counters().answered.read() >= 880);
    CHECK(pair.old.out_of_sequence == 0);
    const std::uint32_t tracebacks = pair.old.tracebacks;
    // What is opened anew begins with what was answered before.
    pair.old.is_silent = true;
    pair.world.run_for(Duration::from_ms(120));
    pair.old.is_silent = false;
    pair.world.run_for(Duration::from_ms(500));
    CHECK(pair.counters().reopened.read() >= 1);
    CHECK(pair.old.tracebacks == tracebacks);
}

TEST_CASE("auto: a number is free again in its time, though STAMP probes of before have longer") {
    Plan plan = automatic_plan(ProbeKind::udp, false);
    plan.cores[0].probes[0].timeout = Duration::from_s(1);
    plan = plan_with({plan.cores[0].probes[0]});  // With slots for so many.
    World world;
    Node& near = world.add(std::move(plan), near_address);
    OldNode old(world, far_address);
    std::uint32_t replies = 0;
    world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        const bool is_lost = packet.from.port == 8001 && ++replies == 20;
        return is_lost ? std::vector<Duration>{} : std::vector{Duration::from_us(50)};
    };
    old.watch();
    world.start();
    world.run_for(Duration::from_ms(1'600));
    CHECK(old.tracebacks >= 1'000);
    CHECK(near.core().counters(0).missed.read() == 0);
    CHECK(near.core().counters(0).answered.read() >= 580);
    CHECK(old.out_of_sequence == 0);
}

TEST_CASE("auto: over TCP an old node sees one greeting, and the next connection is its own") {
    WithOldNode pair(ProbeKind::tcp, false);
    pair.run(Duration::from_s(1));
    CHECK(pair.old.tracebacks == 1);
    CHECK(pair.old.connections == 2);
    CHECK(pair.counters().reopened.read() == 1);
    CHECK(pair.counters().answered.read() >= 890);
    CHECK(pair.counters().lost.read() == 0);
}

TEST_CASE("auto: a far end that stays silent over TCP is greeted in turns") {
    WithOldNode pair(ProbeKind::tcp, false);
    pair.old.is_silent = true;
    pair.run(Duration::from_s(3));
    CHECK(pair.counters().answered.read() == 0);
    CHECK(pair.old.connections >= 3);
    pair.old.is_silent = false;
    pair.world.run_for(Duration::from_s(12));
    CHECK(pair.counters().answered.read() >= 1'000);
    CHECK(pair.old.tracebacks <= 1);
}

TEST_CASE("auto: a mark behind which there is no STAMP is believed once") {
    for (const ProbeKind kind : {ProbeKind::udp, ProbeKind::tcp}) {
        WithOldNode pair(kind, true);
        pair.old.mark = " ";
        pair.run(Duration::from_s(2));
        CHECK(pair.old.tracebacks >= 1);
        CHECK(pair.old.tracebacks <= 110);
        CHECK(pair.counters().answered.read() >= 1'600);
    }
}

TEST_CASE("auto: a probe that is opened anew after every loss still comes to the other format") {
    Plan plan = automatic_plan(ProbeKind::udp, false);
    plan.cores[0].probes[0].max_lost = 1;
    World world;
    Node& near = world.add(std::move(plan), near_address);
    const OldNode old(world, far_address);
    world.start();
    world.run_for(Duration::from_s(2));
    CHECK(near.core().counters(0).answered.read() >= 1'000);
    CHECK(old.out_of_sequence == 0);
}

}  // namespace latmon::sim
