// SPDX-License-Identifier: Apache-2.0
//
// Clocks that are set at the worst moments: between a kernel's stamp and its reading, between T2
// and T3, while a packet is under way, while a host stands still. What was published then is true,
// or it was not published. truth_test.cpp has the long run, and tells how seeds are chosen; here
// every round hits an exchange.
#include "scenario/true_path.hpp"
#include "scenario/two_nodes.hpp"

#include <doctest/doctest.h>
#include <cmath>
#include <cstdlib>

namespace latmon::sim {
namespace {

constexpr Duration interval = Duration::from_ms(10);
constexpr Duration timeout = Duration::from_s(1);
constexpr int rounds = 40;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t seeds_usual = 4;
#else
constexpr std::uint64_t seeds_usual = 40;
#endif

// From 30 us, below which drift within a turn of the loop explains it, to 3 s; either way.
Duration any_step(std::mt19937_64& choose) {
    std::uniform_real_distribution<double> exponent(std::log(30e3), std::log(3e9));
    const auto step_ns = static_cast<std::int64_t>(std::exp(exponent(choose)));
    return Duration{choose() % 2 == 0 ? step_ns : -step_ns};
}

Duration any_within(Duration longest, std::mt19937_64& choose) {
    return Duration{std::uniform_int_distribution<std::int64_t>(0, longest.ns)(choose)};
}

// One clock is set at a moment within the next two intervals; some hosts stand still meanwhile.
void set_a_clock(World& world, Node& near, Node& far, std::mt19937_64& choose) {
    const std::int64_t set_ns = world.simulation.now_ns() + any_within(interval * 2, choose).ns;
    SimClock& clock = choose() % 2 == 0 ? near.clock : far.clock;
    world.simulation.at(set_ns,
                        [&clock, step = any_step(choose)] { clock.wall_offset_ns += step.ns; });
    for (Node* const node : {&near, &far}) {
        if (choose() % 2 == 0) continue;
        const Duration before = any_within(interval, choose);
        const Duration after = any_within(interval * 2, choose);
        world.simulation.at(set_ns - before.ns, [node, until_ns = set_ns + after.ns] {
            node->frozen_until_ns = until_ns;
        });
    }
}

struct Tally {
    std::size_t published = 0;
    std::size_t by_kernel = 0;  // Round trips.
    std::size_t withheld = 0;
};

// By the kernel's stamps alone a round trip is the network's, whatever the clocks and hosts did: to
// a microsecond, and what a clock may drift meanwhile.
void check_rtt(const Sample& sample, const Truth& truth, Tally& tally) {
    for (const std::uint8_t kind :
         {sample.t1_stamp, sample.t2_stamp, sample.t3_stamp, sample.t4_stamp}) {
        if (kind != LATMON_STAMP_KERNEL) return;
    }
    ++tally.by_kernel;
    const std::int64_t error_ns = sample.rtt_ns - truth.forward_ns - truth.reverse_ns;
    if (std::abs(error_ns) > 1'500 + sample.rtt_user_ns / 1'000) {
        FAIL_CHECK("exchange ", sample.sequence, ": rtt ", sample.rtt_ns, " is off by ", error_ns);
    }
}

void judge(Node& near, const Path& path, Tally& tally) {
    for (const Sample& sample : near.take_samples()) {
        if (!is_answer(sample)) continue;
        const Truth& truth = path.truths.at(sample.sequence);
        check_rtt(sample, truth, tally);
        if (sample.owd_class == LATMON_OWD_NONE) ++tally.withheld;
        if (!is_published(sample)) continue;
        ++tally.published;
        check_bounds(sample, truth);
    }
}

ProbePlan patient_probe() {
    ProbePlan probe = probe_to(far_address, ProbeKind::udp, interval);
    probe.timeout = timeout;
    probe.max_lost = 0;
    return probe;
}

Tally run(std::uint64_t seed) {
    std::mt19937_64 choose(seed);
    World world(seed);
    Path path(world, choose);
    Node& near = world.add(plan_with({patient_probe()}), near_address);
    Node& far = world.add(plan_with({}), far_address);
    path.join(near, far);
    std::uniform_int_distribution<std::int64_t> skew_ppb(-100'000, 100'000);
    near.clock.set_wall_rate(skew_ppb(choose));
    far.clock.set_wall_rate(skew_ppb(choose));
    world.start();
    Tally tally;
    for (int round = 0; round < rounds; ++round) {
        // As many as make an estimate, and what is known of the offset sharp.
        world.run_for(interval * 60 + any_within(interval, choose));
        set_a_clock(world, near, far, choose);
        world.run_for(interval * 10);
        judge(near, path, tally);
        static_cast<void>(far.take_samples());
    }
    return tally;
}

// Delays of so much each way; the near host stands still when each hundredth reply comes.
std::vector<Sample> run_frozen(Duration each_way, std::int64_t near_ppb) {
    Pair pair(plan_with({patient_probe()}));
    Simulation& simulation = pair.world.simulation;
    std::uint64_t replies = 0;
    simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        if (!is_forward(packet) && ++replies % 100 == 0) {
            const std::int64_t from_ns = simulation.now_ns() + each_way.ns - 1'000;
            simulation.at(from_ns, [&pair, from_ns] {
                pair.near.frozen_until_ns = from_ns + Duration::from_ms(20).ns;
            });
        }
        return std::vector{each_way};
    };
    pair.near.clock.set_wall_rate(near_ppb);
    pair.run(Duration::from_s(3));
    return answers(pair.near);
}

}  // namespace

TEST_CASE(
    "clock set: while packets are under way and hosts stand still, no bound misses the truth") {
    Tally sum;
    const std::uint64_t first = seed_from("LATMON_SEED_FIRST", 1);
    const std::uint64_t last = seed_from("LATMON_SEEDS", seeds_usual);
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        CAPTURE(seed);
        const Tally tally = run(seed);
        sum.published += tally.published;
        sum.by_kernel += tally.by_kernel;
        sum.withheld += tally.withheld;
    }
    MESSAGE("published ", sum.published, ", withheld ", sum.withheld, ", round trips by kernels ",
            sum.by_kernel);
    // Every step costs the estimate of 30 exchanges, and a few are withheld: on average no more.
    const std::uint64_t steps = (last + 1 - first) * rounds;
    CHECK(sum.published > steps * 30);
    CHECK(sum.withheld > steps / 4);
    CHECK(sum.withheld < steps * 10);
    CHECK(sum.by_kernel > steps * 55);
}

TEST_CASE("clock set: a skew over a slow exchange costs neither stamps nor bounds") {
    for (const std::int64_t ppb : {-100'000, 20'000, 500'000}) {
        for (const Duration each_way : {Duration::from_us(900), Duration::from_ms(120)}) {
            CAPTURE(ppb);
            CAPTURE(each_way.ns);
            std::size_t waited = 0;
            std::size_t published = 0;
            const Truth truth{.forward_ns = each_way.ns, .reverse_ns = each_way.ns};
            for (const Sample& sample : run_frozen(each_way, ppb)) {
                if (sample.sequence == 0) continue;  // No stamp was known to come.
                CHECK(sample.t1_stamp == LATMON_STAMP_KERNEL);
                CHECK(sample.t4_stamp == LATMON_STAMP_KERNEL);
                CHECK(std::abs(sample.rtt_ns - 2 * each_way.ns) < 500 + 20'000'000 / 2'000);
                if (sample.local_rx_ns > 5'000'000) ++waited;
                if (!is_published(sample)) continue;
                ++published;
                check_bounds(sample, truth);
            }
            CHECK(waited > 0);
            CHECK(published > 100);
        }
    }
}

TEST_CASE(
    "clock set: by less than a millisecond, a peer's clock is announced with its next reply") {
    // The shorter way is less than the step, so that what was known before would miss it.
    for (const Duration step : {Duration::from_us(300), Duration::from_us(-300)}) {
        CAPTURE(step.ns);
        Pair pair(plan_with({patient_probe()}));
        pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
            const bool is_short = is_forward(packet) == (step.ns > 0);
            return std::vector{is_short ? Duration::from_us(100) : Duration::from_us(2'000)};
        };
        pair.run(interval * 100 + interval / 2);
        const PublishedCounter& resets = pair.near.core().core_counters().path_clock_resets;
        const std::uint64_t before = resets.read();
        CHECK(answers(pair.near).back().owd_class == LATMON_OWD_ESTIMATED);
        pair.far.clock.wall_offset_ns += step.ns;
        pair.world.run_for(interval * 20);
        CHECK(resets.read() == before + 1);
        for (const Sample& sample : answers(pair.near))
            CHECK((sample.sequence < 101 || !is_published(sample)));
        pair.world.run_for(interval * 20);
        CHECK(answers(pair.near).back().owd_class == LATMON_OWD_ESTIMATED);
        CHECK(resets.read() == before + 1);
    }
}

TEST_CASE("clock set: between a request's arrival and its reading, it is no turnaround") {
    for (const Duration step : {Duration::from_ms(5), Duration::from_ms(-5), Duration::from_s(2)}) {
        CAPTURE(step.ns);
        Pair pair(plan_with({patient_probe()}));
        pair.world.simulation.link = constant_link(Duration::from_ms(4));
        pair.run(interval * 100 + Duration::from_ms(3));
        // The far host reads at 23 ms what came at 5 and at 15 ms.
        const std::int64_t now_ns = pair.world.simulation.now_ns();
        pair.far.frozen_until_ns = now_ns + Duration::from_ms(20).ns;
        pair.world.simulation.at(now_ns + Duration::from_ms(8).ns,
                                 [&] { pair.far.clock.wall_offset_ns += step.ns; });
        static_cast<void>(answers(pair.near));
        pair.world.run_for(interval * 20);
        std::size_t stale = 0;
        for (const Sample& sample : answers(pair.near)) {
            const bool is_stale = sample.t2_stamp == LATMON_STAMP_USER;
            stale += is_stale ? 1U : 0U;
            if (is_stale) CHECK(sample.owd_class == LATMON_OWD_NONE);
            const bool is_false = !is_stale && std::abs(sample.rtt_ns - 8'000'000) > 3'000;
            CHECK(!is_false);
            CHECK((sample.valid & LATMON_HAS_TURNAROUND) != 0);
            CHECK(sample.turnaround_ns < 20'000'000);
        }
        CHECK(stale >= 1);
        CHECK(stale <= 3);
    }
}

TEST_CASE("clock set: in a turn so long that a slew might have done it, it is no turnaround") {
    // Once a second both hosts look at their clocks; what moves by 200 us between was bent or set.
    for (const Duration step : {Duration::from_us(200), Duration::from_us(-200)}) {
        CAPTURE(step.ns);
        ProbePlan probe = patient_probe();
        probe.interval = Duration::from_s(1);
        Pair pair(plan_with({probe}));
        pair.world.simulation.link = constant_link(Duration::from_ms(4));
        pair.run(Duration::from_s(70) + Duration::from_ms(3));
        const std::int64_t now_ns = pair.world.simulation.now_ns();
        pair.far.frozen_until_ns = now_ns + Duration::from_ms(20).ns;
        pair.world.simulation.at(now_ns + Duration::from_ms(8).ns,
                                 [&] { pair.far.clock.wall_offset_ns += step.ns; });
        static_cast<void>(answers(pair.near));
        pair.world.run_for(Duration::from_s(3));
        const std::vector<Sample> samples = answers(pair.near);
        // The first is from before, and has waited for its follow-up.
        REQUIRE(samples.size() >= 3);
        CHECK(samples[0].owd_class == LATMON_OWD_ESTIMATED);
        CHECK(samples[1].t2_stamp == LATMON_STAMP_USER);
        CHECK(samples[1].owd_class == LATMON_OWD_NONE);
        CHECK(samples.back().t2_stamp == LATMON_STAMP_KERNEL);
        CHECK(samples.back().owd_class == LATMON_OWD_RELATIVE);
    }
}

TEST_CASE("clock set: between T3 and the reply's departure, it is no stay at the far end") {
    // The far host's queue holds replies for 2 ms, and its clock is set after one.
    for (const Duration step : {Duration::from_ms(3), Duration::from_us(-700)}) {
        CAPTURE(step.ns);
        Pair pair(plan_with({patient_probe()}));
        pair.world.simulation.link = constant_link(Duration::from_ms(3));
        pair.far.ring.queue_delay = Duration::from_ms(2);
        pair.run(interval * 100 + Duration::from_us(5'000));
        static_cast<void>(answers(pair.near));
        pair.far.clock.wall_offset_ns += step.ns;
        pair.world.run_for(interval * 20);
        std::size_t departed = 0;
        for (const Sample& sample : answers(pair.near)) {
            const bool is_exact = sample.t3_stamp == LATMON_STAMP_KERNEL;
            departed += is_exact ? 1U : 0U;
            const std::int64_t truth_ns = is_exact ? 6'000'000 : 8'000'000;
            CHECK(std::abs(sample.rtt_ns - truth_ns) < 3'000);
            if (is_exact) CHECK(std::abs(sample.peer_tx_ns - 2'000'000) < 3'000);
        }
        CHECK(departed >= 17);
        CHECK(departed <= 19);
    }
}

TEST_CASE("clock set: a reply with the news of it tells no ways, whoever made its T2") {
    for (const bool has_kernel_t2 : {true, false}) {
        CAPTURE(has_kernel_t2);
        World world;
        Node& near = world.add(plan_with({patient_probe()}), near_address);
        Node& far = world.add(plan_with({}), far_address);
        far.ring.refuse_stamps = !has_kernel_t2;
        world.start();
        world.run_for(interval * 100 + interval / 2);
        CHECK(answers(near).back().owd_class == LATMON_OWD_ESTIMATED);
        far.clock.wall_offset_ns += Duration::from_ms(5).ns;
        world.run_for(interval * 5);
        const std::vector<Sample> samples = answers(near);
        std::size_t withheld = 0;
        for (const Sample& sample : samples)
            withheld += sample.owd_class == LATMON_OWD_NONE ? 1U : 0U;
        CHECK(withheld == 1);
        CHECK(samples.back().owd_class == LATMON_OWD_RELATIVE);
        const bool is_kernel = samples.back().t2_stamp == LATMON_STAMP_KERNEL;
        CHECK(is_kernel == has_kernel_t2);
    }
}

TEST_CASE("clock set: while a reply is under way or waits for us, its ways are not told") {
    for (const Duration step :
         {Duration::from_us(200), Duration::from_ms(-3), Duration::from_s(1)}) {
        CAPTURE(step.ns);
        Pair pair(plan_with({patient_probe()}));
        pair.world.simulation.link = constant_link(Duration::from_ms(3));
        pair.run(interval * 100 + Duration::from_ms(5));
        const std::int64_t now_ns = pair.world.simulation.now_ns();
        pair.near.frozen_until_ns = now_ns + Duration::from_ms(5).ns;
        pair.world.simulation.at(now_ns + Duration::from_ms(3).ns,
                                 [&] { pair.near.clock.wall_offset_ns += step.ns; });
        static_cast<void>(answers(pair.near));
        pair.world.run_for(interval * 20);
        std::size_t withheld = 0;
        for (const Sample& sample : answers(pair.near)) {
            if (sample.owd_class != LATMON_OWD_NONE) {
                CHECK(std::abs(sample.rtt_ns - 6'000'000) < 2'000);
                continue;
            }
            ++withheld;
            CHECK(sample.t4_stamp == LATMON_STAMP_USER);
            CHECK(sample.rtt_ns >= 6'000'000);
            CHECK(sample.rtt_ns <= sample.rtt_user_ns);
        }
        CHECK(withheld == 1);
    }
}

}  // namespace latmon::sim
