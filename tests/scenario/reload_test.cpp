// SPDX-License-Identifier: Apache-2.0
//
// Probes, queues and allow-lists that come and go while a core runs: who stays notices nothing, who
// goes has told everything, and nothing of it is left.
#include "daemon/node_counters.hpp"
#include "scenario/two_nodes.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string_view>
#include <vector>

namespace latmon::sim {
namespace {

constexpr Duration interval = Duration::from_ms(10);
constexpr Duration timeout = Duration::from_ms(100);  // Of probe_to().
constexpr std::uint32_t new_series = 5'000;

constexpr std::array kinds{ProbeKind::udp, ProbeKind::tcp, ProbeKind::tcp_connect};

Plan plan_of_all_kinds() {
    std::vector<ProbePlan> probes;
    for (const ProbeKind kind : kinds) {
        probes.push_back(probe_to(far_address, kind, interval));
        probes.back().phase = Duration::from_ms(static_cast<std::int64_t>(probes.size()));
    }
    return plan_with(std::move(probes));
}

// A holder as the main-thread makes it; `index` makes its series.
std::unique_ptr<ProbeHolder> make(Node& node, ProbeKind kind, std::uint32_t index,
                                  const char* target = far_address) {
    ProbePlan plan = probe_to(target, kind, interval);
    plan.in_flight_slots = 32;
    plan.phase = Duration::from_us(7'000);
    plan.probe_index = index;
    plan.ssid = static_cast<std::uint16_t>(1 + index);
    plan.series_id = new_series + 10 * index;
    plan.clock_series_id = plan.series_id + 1;
    auto holder = std::make_unique<ProbeHolder>(std::move(plan));
    node.core().make_probe(*holder);
    return holder;
}

void add(Node& node, ProbeHolder& holder) {
    node.core().apply({.kind = CoreCommand::Kind::add_probe, .probe = &holder});
}

void remove(Node& node, ProbeHolder& holder) {
    node.core().apply({.kind = CoreCommand::Kind::remove_probe, .probe = &holder});
}

std::vector<Sample> of_series(const std::vector<Sample>& samples, std::uint32_t series) {
    std::vector<Sample> chosen;
    std::ranges::copy_if(samples, std::back_inserter(chosen),
                         [series](const Sample& sample) { return sample.series_id == series; });
    return chosen;
}

// What became of each probe sent: told once, and none is missing.
void check_all_told(const std::vector<Sample>& samples, const ProbeHolder& holder) {
    const ProbeCounters& counters = holder.counters;
    CHECK(counters.in_flight() == 0);
    std::map<std::uint32_t, int> fates;
    for (const Sample& sample : of_series(samples, holder.plan.series_id)) {
        const bool is_extra = sample.status == LATMON_STATUS_LATE ||
                              sample.status == LATMON_STATUS_DUPLICATE ||
                              sample.status == LATMON_STATUS_LOCAL_ERROR;
        if (!is_extra) ++fates[sample.sequence];
    }
    CHECK(fates.size() == counters.sent.read());
    CHECK(std::ranges::all_of(fates, [](const auto& fate) { return fate.second == 1; }));
}

struct Bench {
    World world;
    Node& near = world.add(plan_of_all_kinds(), near_address);
    Node& far = world.add(plan_with({}), far_address);
};

}  // namespace

TEST_CASE("reload: who stays misses no slot and keeps its place, whoever comes and goes") {
    Bench bench;
    Node& near = bench.near;
    bench.world.start();
    bench.world.run_for(Duration::from_ms(500));
    std::vector<Sample> samples = near.take_samples();
    std::vector<std::unique_ptr<ProbeHolder>> holders;
    for (std::uint32_t round = 0; round < 20; ++round) {
        holders.push_back(make(near, kinds[round % kinds.size()], round));
        add(near, *holders.back());
        if (round >= 3) remove(near, *holders[round - 3]);
        bench.world.run_for(Duration::from_ms(50));
    }
    bench.world.run_for(Duration::from_ms(500));
    const std::vector<Sample> more = near.take_samples();
    samples.insert(samples.end(), more.begin(), more.end());
    for (std::uint32_t probe = 0; probe < kinds.size(); ++probe) {
        CAPTURE(probe);
        const ProbeCounters& counters = near.core().counters(probe);
        CHECK(counters.missed.read() == 0);
        CHECK(counters.lost.read() == 0);
        CHECK(counters.reopened.read() == 0);
        const std::vector<Sample> its = of_series(samples, probe);
        CHECK(its.size() >= 199);
        // Its numbers go on, and its slots lie where they lay.
        std::int64_t first_ns = 0;
        std::uint32_t next = 0;
        for (const Sample& sample : its) {
            if (sample.status != LATMON_STATUS_OK) continue;
            if (first_ns == 0) {
                first_ns = sample.scheduled_ns;
                next = sample.sequence;
            }
            CHECK(sample.sequence == next++);
            const std::int64_t off_ns = (sample.scheduled_ns - first_ns) % interval.ns;
            CHECK(std::min(off_ns, interval.ns - off_ns) < 1'000);  // Clocks are read one by one.
        }
    }
}

TEST_CASE("reload: what comes starts on its own grid, with nothing missed, and is answered") {
    for (const ProbeKind kind : kinds) {
        CAPTURE(static_cast<int>(kind));
        Bench bench;
        bench.world.start();
        bench.world.run_for(Duration::from_ms(1'234));
        const std::unique_ptr<ProbeHolder> holder = make(bench.near, kind, 0);
        add(bench.near, *holder);
        bench.world.run_for(Duration::from_ms(1'000));
        CHECK(holder->counters.missed.read() == 0);
        CHECK(holder->counters.local_error.read() == 0);
        CHECK(holder->counters.answered.read() >= 95);
        const std::vector<Sample> samples = bench.near.take_samples();
        const std::vector<Sample> its = of_series(samples, new_series);
        const std::vector<Sample> other = of_series(samples, 0);
        REQUIRE(!its.empty());
        // Phases are 7 ms and 1 ms of the same origin.
        const std::int64_t apart_ns =
            (its.front().scheduled_ns - other.front().scheduled_ns) % interval.ns;
        CHECK(std::abs(apart_ns - 6'000'000) < 2'000);
    }
}

TEST_CASE("reload: what goes has told the fate of every probe, and leaves no socket and no timer") {
    for (const ProbeKind kind : kinds) {
        CAPTURE(static_cast<int>(kind));
        Bench bench;
        bench.world.simulation.link = [](const Packet& packet, std::mt19937_64& random) {
            if (!packet.is_stream && random() % 4 == 0) return std::vector<Duration>{};
            return std::vector<Duration>{
                Duration::from_ms(static_cast<std::int64_t>(random() % 40))};
        };
        bench.world.start();
        bench.world.run_for(Duration::from_ms(300));
        // Those that stay open and close connections of their own.
        const std::unique_ptr<ProbeHolder> holder = make(bench.near, kind, 0);
        add(bench.near, *holder);
        bench.world.run_for(Duration::from_ms(700));
        remove(bench.near, *holder);
        CHECK_FALSE(holder->is_retired());
        const std::uint64_t sent = holder->counters.sent.read();
        bench.world.run_for(timeout + Duration::from_ms(50));
        REQUIRE(holder->is_retired());
        // Handshakes under way count when they end; of others one may have been on its way out.
        CHECK(holder->counters.sent.read() <=
              sent + (kind == ProbeKind::tcp_connect ? timeout / interval : 1));
        CHECK(sent > 50);
        check_all_told(bench.near.take_samples(), *holder);
        // Nothing is left to do for the core but what the others need.
        const std::uint64_t turns = bench.near.core().reactor().counters().turns;
        bench.world.run_for(Duration::from_ms(100));
        CHECK(bench.near.core().reactor().counters().turns < turns + 1'000);
        // It can go: nobody asks for it any more.
        const std::uint64_t answered = holder->counters.answered.read();
        bench.world.run_for(Duration::from_ms(500));
        CHECK(holder->counters.answered.read() == answered);
    }
}

TEST_CASE("reload: sockets and deadlines of a thousand that came and went are all given back") {
    Bench bench;
    bench.world.start();
    bench.world.run_for(Duration::from_ms(205));
    const std::size_t sockets = bench.near.ring.open_sockets();
    for (std::uint32_t round = 0; round < 200; ++round) {
        std::vector<std::unique_ptr<ProbeHolder>> holders;
        for (std::uint32_t index = 0; index < 5; ++index) {
            // Nobody is at the last one: handshakes there are refused, and it has no connection.
            const char* const target = index == 4 ? "10.0.0.9" : far_address;
            holders.push_back(make(bench.near, kinds[index % kinds.size()], index, target));
            add(bench.near, *holders.back());
        }
        bench.world.run_for(Duration::from_ms(35));
        for (const std::unique_ptr<ProbeHolder>& holder : holders)
            remove(bench.near, *holder);
        bench.world.run_for(timeout + Duration::from_ms(20));
        for (const std::unique_ptr<ProbeHolder>& holder : holders) {
            CAPTURE(holder->plan.probe_index);
            REQUIRE(holder->is_retired());
        }
        static_cast<void>(bench.near.take_samples());
    }
    bench.world.run_for(Duration::from_ms(200));
    // A handshake is under way or not, just then.
    CHECK(bench.near.ring.open_sockets() <= sockets + 1);
    CHECK(bench.near.core().counters(0).missed.read() == 0);
}

TEST_CASE(
    "reload: in a network that loses, repeats, delays and breaks, all laws hold for who goes") {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        CAPTURE(seed);
        World world(seed);
        Node& near = world.add(plan_of_all_kinds(), near_address);
        world.add(plan_with({}), far_address);
        world.simulation.link = [](const Packet& packet, std::mt19937_64& random) {
            std::vector<Duration> copies{
                Duration::from_us(static_cast<std::int64_t>(random() % 150'000))};
            if (packet.is_stream) return copies;
            if (random() % 5 == 0) return std::vector<Duration>{};
            if (random() % 5 == 0) copies.push_back(copies.front() + Duration::from_ms(3));
            return copies;
        };
        world.start();
        std::mt19937_64 random(seed);
        std::vector<std::unique_ptr<ProbeHolder>> running, leaving;
        std::vector<Sample> samples;
        for (std::uint32_t step = 0; step < 120; ++step) {
            const bool comes = running.size() < 3 || (running.size() < 12 && random() % 2 == 0);
            if (comes) {
                running.push_back(make(near, kinds[random() % kinds.size()], step));
                add(near, *running.back());
            } else {
                const std::size_t which = random() % running.size();
                remove(near, *running[which]);
                leaving.push_back(std::move(running[which]));
                running.erase(running.begin() + static_cast<std::ptrdiff_t>(which));
            }
            if (random() % 20 == 0) near.ring.reset_streams();
            world.run_for(Duration::from_us(static_cast<std::int64_t>(random() % 30'000)));
            const std::vector<Sample> more = near.take_samples();
            samples.insert(samples.end(), more.begin(), more.end());
        }
        for (std::unique_ptr<ProbeHolder>& holder : running) {
            remove(near, *holder);
            leaving.push_back(std::move(holder));
        }
        world.run_for(timeout + Duration::from_ms(100));
        const std::vector<Sample> more = near.take_samples();
        samples.insert(samples.end(), more.begin(), more.end());
        for (const std::unique_ptr<ProbeHolder>& holder : leaving) {
            REQUIRE(holder->is_retired());
            check_all_told(samples, *holder);
        }
        for (std::uint32_t probe = 0; probe < kinds.size(); ++probe)
            CHECK(near.core().counters(probe).missed.read() == 0);
    }
}

TEST_CASE("reload: a probe that goes before it has an address, or just after it came, is gone") {
    Bench bench;
    bench.world.start();
    bench.world.run_for(Duration::from_ms(100));
    for (const ProbeKind kind : kinds) {
        CAPTURE(static_cast<int>(kind));
        ProbePlan plan = probe_to(far_address, kind, interval);
        plan.in_flight_slots = 32;
        plan.address.reset();
        ProbeHolder nowhere(plan);
        bench.near.core().make_probe(nowhere);
        add(bench.near, nowhere);
        bench.world.run_for(Duration::from_ms(60));
        CHECK(nowhere.counters.local_error.read() > 0);
        remove(bench.near, nowhere);
        const std::unique_ptr<ProbeHolder> brief = make(bench.near, kind, 1);
        add(bench.near, *brief);
        remove(bench.near, *brief);
        bench.world.run_for(Duration::from_ms(30));
        CHECK(nowhere.is_retired());
        CHECK(brief->is_retired());
        CHECK(brief->counters.sent.read() == 0);
    }
}

TEST_CASE("reload: the node's sums never fall, though those that were counted go") {
    Plan plan = plan_of_all_kinds();
    plan.node_interval = Duration::from_ms(100);
    World world;
    Node& near = world.add(plan, near_address);
    world.add(plan_with({}), far_address);
    world.start();
    std::uint64_t gone = 0;
    for (std::uint32_t round = 0; round < 10; ++round) {
        const std::unique_ptr<ProbeHolder> holder = make(near, ProbeKind::udp, round);
        add(near, *holder);
        world.run_for(Duration::from_ms(150));
        remove(near, *holder);
        world.run_for(Duration::from_ms(150));
        REQUIRE(holder->is_retired());
        gone += holder->counters.sent.read();
    }
    world.run_for(Duration::from_ms(150));
    const std::vector<std::string> names = node_counter_names();
    const auto offset =
        static_cast<std::uint32_t>(std::ranges::find(names, "probes_sent_total") - names.begin());
    std::int64_t before = 0;
    for (const Sample& sample : of_series(near.take_samples(), first_node_series(plan) + offset)) {
        CHECK(sample.value >= before);
        before = sample.value;
    }
    std::uint64_t staying = 0;
    for (std::uint32_t probe = 0; probe < kinds.size(); ++probe)
        staying += near.core().counters(probe).sent.read();
    CHECK(gone > 100);
    CHECK(before <= static_cast<std::int64_t>(gone + staying));
    CHECK(before >= static_cast<std::int64_t>(gone + staying) - 60);
}

TEST_CASE(
    "reload: an exporter's queue that takes another's place misses no sample, nor sees one twice") {
    Bench bench;
    bench.world.start();
    SampleQueue first(1U << 14U, kind_bit(LATMON_KIND_EXCHANGE));
    SampleQueue second(1U << 14U, kind_bit(LATMON_KIND_EXCHANGE));
    Core& core = bench.near.core();
    core.apply({.kind = CoreCommand::Kind::replace_queue, .consumer = {&first}});
    bench.world.run_for(Duration::from_ms(500));
    core.apply({.kind = CoreCommand::Kind::replace_queue, .consumer = {&second}, .former = &first});
    bench.world.run_for(Duration::from_ms(500));
    core.apply({.kind = CoreCommand::Kind::replace_queue, .former = &second});
    const std::uint64_t made = first.made.read() + second.made.read();
    bench.world.run_for(Duration::from_ms(500));
    CHECK(first.made.read() + second.made.read() == made);
    CHECK(second.made.read() >= 90);
    std::vector<Sample> batch(4'096);
    std::uint32_t next = 0;
    for (SampleQueue* const queue : {&first, &second}) {
        const std::uint32_t count = queue->queue.pop_batch(batch);
        REQUIRE(count == queue->made.read());
        for (const Sample& sample : std::span(batch).first(count)) {
            if (sample.series_id == 0) CHECK(sample.sequence == next++);
        }
    }
    CHECK(next >= 98);
}

TEST_CASE("reload: statistics that come later get every sample from then on, at no slot's cost") {
    Bench bench;
    bench.world.start();
    bench.world.run_for(Duration::from_ms(503));
    const std::vector<Sample> before = bench.near.take_samples();
    SampleQueue queue(1'024, stats_kinds);
    bench.near.core().apply(
        {.kind = CoreCommand::Kind::set_stats_queue, .consumer = SampleConsumer(&queue)});
    bench.world.run_for(Duration::from_ms(1'000));
    const std::vector<Sample> after = bench.near.take_samples();
    CHECK_FALSE(before.empty());
    const auto is_taken = [](const Sample& sample) {
        return ((1U << sample.kind) & stats_kinds) != 0;
    };
    CHECK(queue.made.read() == static_cast<std::uint64_t>(std::ranges::count_if(after, is_taken)));
    CHECK(queue.made.read() > 250);
    CHECK(queue.dropped.read() == 0);
    for (std::uint32_t probe = 0; probe < kinds.size(); ++probe) {
        CHECK(bench.near.core().counters(probe).missed.read() == 0);
    }
}

TEST_CASE("reload: whom the reflector answers is what the new list says") {
    Bench bench;
    bench.world.start();
    bench.world.run_for(Duration::from_ms(200));
    const std::uint64_t before = bench.near.core().counters(0).answered.read();
    CHECK(before >= 15);
    AllowList nobody({}, 1, {1, 2});
    bench.far.core().apply({.kind = CoreCommand::Kind::set_allow_list, .allow_list = &nobody});
    bench.world.run_for(Duration::from_ms(300));
    CHECK(bench.near.core().counters(0).answered.read() <= before + 1);
    CHECK(bench.far.core().udp_reflector().read(ReflectReason::not_allowed) >= 25);
    // What it had it has given back.
    bench.far.core().apply({.kind = CoreCommand::Kind::set_allow_list, .allow_list = &nobody});
    bench.world.run_for(Duration::from_ms(300));
    CHECK(bench.near.core().counters(0).answered.read() >= before + 25);
}

}  // namespace latmon::sim
