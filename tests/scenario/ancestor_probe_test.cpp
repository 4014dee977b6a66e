// SPDX-License-Identifier: Apache-2.0
//
// Probes to nodes of the Python tool latency-monitor over UDP, in its own format: what they send,
// what they believe, and what becomes of it.
#include "scenario/old_node.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <cstdlib>

namespace latmon::sim {
namespace {

constexpr Duration ms = Duration::from_ms(1);

ProbePlan tagged_probe(std::uint32_t size_bytes = 300) {
    ProbePlan probe = ancestor_probe(ProbeKind::udp, size_bytes);
    probe.tags = {"isp:x", "it's"};
    return probe;
}

struct Pair : NearAndOld {
    explicit Pair(ProbePlan probe = tagged_probe()) : NearAndOld(plan_with({std::move(probe)})) {}

    void check_accounts() {
        CHECK(counters().sent.read() == counters().answered.read() + counters().lost.read() +
                                            counters().unreachable.read() + counters().in_flight());
    }
    [[nodiscard]] std::vector<Sample> answers() {
        return Node::only(near.take_samples(), LATMON_KIND_EXCHANGE, LATMON_STATUS_OK);
    }
};

bool is_reply(const Packet& packet) {
    return packet.from.port == 8001;
}

bool has(const Sample& sample, std::uint32_t bits) {
    return (sample.valid & bits) == bits;
}

}  // namespace

TEST_CASE("ancestor: an old node answers every probe, and finds each number where it expects it") {
    Pair pair;
    pair.run(Duration::from_ms(500));
    CHECK(pair.counters().answered.read() >= 498);
    CHECK(pair.counters().lost.read() == 0);
    CHECK(pair.counters().invalid.read() == 0);
    CHECK(pair.counters().missed.read() == 0);
    CHECK(pair.old.tracebacks == 0);
    CHECK(pair.old.out_of_sequence == 0);
    pair.check_accounts();
    for (const std::string& request : pair.old.requests) {
        CHECK(request.size() == 300);
        CHECK(request.find("|['isp:x', \"it's\"]|0000") != std::string::npos);
    }
    CHECK(pair.old.requests.at(0).starts_with("0|near|17672256"));
    CHECK(pair.old.requests.at(100).starts_with("100|near|"));
    CHECK(pair.old.requests.at(101).starts_with("0|near|"));
}

TEST_CASE("ancestor: a sample says what its reply can, and nothing that takes a T3") {
    Pair pair;
    pair.old.turnaround = ms / 4;
    pair.run(Duration::from_ms(200));
    const std::vector<Sample> answers = pair.answers();
    CHECK(answers.size() >= 198);
    for (const Sample& sample : answers) {
        CHECK(std::abs(sample.rtt_ns - 350'000) < 5'000);  // What the far end took is in it.
        CHECK(sample.protocol == LATMON_PROTOCOL_UDP);
        CHECK(sample.packet_bytes == 300);
        CHECK(sample.owd_class == LATMON_OWD_RELATIVE);
        CHECK(std::abs(sample.owd_fwd_ns - 50'000) < 5'000);
        CHECK(sample.t2_stamp == LATMON_STAMP_PEER);
        CHECK(has(sample, LATMON_HAS_RTT | LATMON_HAS_RTT_USER | LATMON_HAS_T1 | LATMON_HAS_T2 |
                              LATMON_HAS_T4 | LATMON_HAS_OWD_FWD));
        CHECK((sample.valid & (LATMON_HAS_TURNAROUND | LATMON_HAS_T3 | LATMON_HAS_OWD_REV |
                               LATMON_HAS_OWD_FWD_LO_HI | LATMON_HAS_OWD_REV_LO_HI |
                               LATMON_HAS_PEER_SEQUENCE)) == 0);
        CHECK(sample.t3_ns == 0);
        CHECK(sample.ssid == 0);
    }
}

TEST_CASE("ancestor: without a size a packet is as long as its head, whatever its number") {
    Pair pair(tagged_probe(0));
    pair.run(Duration::from_ms(150));
    const std::string longest = "100|near|1767225601000000000|['isp:x', \"it's\"] |";
    for (const std::string& request : pair.old.requests)
        CHECK(request.size() == longest.size());
    CHECK(pair.counters().answered.read() >= 148);
}

TEST_CASE("ancestor: a loss has no address, and a reply that comes too late is late") {
    Pair pair;
    std::uint32_t replies = 0;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        if (!is_reply(packet)) return std::vector{Duration::from_us(50)};
        ++replies;
        if (replies % 20 == 5) return std::vector<Duration>{};
        return std::vector{replies == 50 ? Duration::from_ms(100) : Duration::from_us(50)};
    };
    pair.old.watch();
    pair.run(Duration::from_s(1));
    CHECK(pair.counters().lost.read() >= 40);
    CHECK(pair.counters().lost_forward.read() == 0);
    CHECK(pair.counters().lost_reverse.read() == 0);
    CHECK(pair.counters().late.read() == 1);
    CHECK(pair.counters().invalid.read() == 0);
    CHECK(pair.old.out_of_sequence == 0);
    pair.check_accounts();
}

TEST_CASE("ancestor: a reply to the probe a hundred and one before is not believed") {
    Pair pair;
    std::uint32_t replies = 0;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        if (!is_reply(packet)) return std::vector{Duration::from_us(50)};
        // It comes right after the probe that has its number next, before that one's own.
        const bool is_held = ++replies == 200 || replies == 250;
        return std::vector{is_held ? ms * 101 - Duration::from_us(30) : Duration::from_us(50)};
    };
    pair.old.watch();
    pair.run(Duration::from_s(1));
    CHECK(pair.counters().late.read() == 2);
    CHECK(pair.counters().lost.read() == 2);
    CHECK(pair.counters().duplicate.read() == 0);
    for (const Sample& sample : pair.answers())
        CHECK(std::abs(sample.rtt_ns - 100'000) < 5'000);
    CHECK(pair.counters().answered.read() >= 996);
    pair.check_accounts();
}

TEST_CASE("ancestor: what takes longer than all numbers is lost, and never a short round trip") {
    ProbePlan probe = tagged_probe();
    probe.timeout = Duration::from_s(1);  // 100 ms are what its numbers last.
    probe.max_lost = 0;
    Pair pair(std::move(probe));
    pair.world.simulation.link = [&](const Packet&, std::mt19937_64&) {
        const bool is_slow = pair.world.simulation.now_ns() > 1'300'000'000;
        return std::vector{is_slow ? ms * 75 : ms * 20};
    };
    pair.old.watch();
    pair.run(Duration::from_s(2));
    CHECK(pair.counters().answered.read() >= 250);
    CHECK(pair.counters().lost.read() >= 1'400);
    for (const Sample& sample : pair.answers()) {
        CHECK(sample.rtt_ns >= 40'000'000);
        CHECK(sample.rtt_ns <= 100'000'000);
    }
    pair.check_accounts();
}

TEST_CASE("ancestor: a queue that grows past all numbers never makes a short round trip") {
    for (const double slope : {0.05, 0.2, 0.6, 1.5}) {
        CAPTURE(slope);
        ProbePlan probe = tagged_probe();
        probe.timeout = Duration::from_s(1);
        Pair pair(std::move(probe));
        const auto queued_at = [&](std::int64_t now_ns) {
            const double grown = static_cast<double>(now_ns - 1'500'000'000) * slope;
            return Duration{static_cast<std::int64_t>(std::clamp(grown, 0.0, 150e6))};
        };
        const Duration way = Duration::from_us(500);
        pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
            const Duration queued = queued_at(pair.world.simulation.now_ns());
            return std::vector{is_reply(packet) ? way : way + queued};
        };
        pair.old.watch();
        pair.run(Duration::from_s(2));
        CHECK(pair.counters().answered.read() >= 400);
        for (const Sample& sample : pair.answers()) {
            const std::int64_t sent_ns =
                sample.scheduled_ns + sample.lateness_ns - 1'767'225'600'000'000'000;
            const Duration truth = way * 2 + queued_at(sent_ns);
            CHECK(std::abs(sample.rtt_ns - truth.ns) < 1'000'000);
        }
        pair.check_accounts();
    }
}

TEST_CASE("ancestor: no number is on its way twice, however slow the path") {
    ProbePlan probe = tagged_probe();
    probe.timeout = Duration::from_s(1);
    Pair pair(std::move(probe));
    pair.world.simulation.link = constant_link(ms * 49);
    pair.old.watch();
    pair.world.start();
    for (int step = 0; step < 500; ++step) {
        pair.world.run_for(ms);
        CHECK(pair.counters().in_flight() <= 101);
    }
    CHECK(pair.counters().lost.read() == 0);
    CHECK(pair.counters().answered.read() >= 390);
    CHECK(pair.old.out_of_sequence == 0);
}

TEST_CASE("ancestor: a far end that sets its clock loses nothing") {
    for (const std::int64_t step_ms : {-50, 50, -3'600'000}) {
        Pair pair;
        pair.run(Duration::from_ms(300));
        pair.old.clock_offset_ns = step_ms * ms.ns;
        pair.world.run_for(Duration::from_ms(300));
        CHECK(pair.counters().answered.read() >= 598);
        CHECK(pair.counters().late.read() == 0);
        CHECK(pair.counters().lost.read() == 0);
    }
}

TEST_CASE("ancestor: a far end whose clock is centuries off has round trips and no delays") {
    Pair pair;
    pair.old.clock_offset_ns = 7'000'000'000'000'000'000;
    pair.run(Duration::from_ms(300));
    const std::vector<Sample> answers = pair.answers();
    CHECK(answers.size() >= 298);
    for (const Sample& sample : answers) {
        CHECK(std::abs(sample.rtt_ns - 100'000) < 5'000);
        CHECK(sample.owd_class == LATMON_OWD_NONE);
        CHECK(!has(sample, LATMON_HAS_T2));
    }
}

TEST_CASE("ancestor: a silent far end costs a socket for every round of numbers, no more") {
    ProbePlan probe = tagged_probe();
    probe.max_lost = 1'000'000;
    Pair pair(std::move(probe));
    pair.old.is_silent = true;
    pair.run(Duration::from_s(1));
    CHECK(pair.counters().answered.read() == 0);
    CHECK(pair.counters().reopened.read() >= 3);
    CHECK(pair.counters().reopened.read() <= 11);
    pair.old.is_silent = false;
    pair.world.run_for(Duration::from_ms(300));
    CHECK(pair.counters().answered.read() >= 190);
    CHECK(pair.old.out_of_sequence == 0);
    pair.check_accounts();
}

TEST_CASE("ancestor: what is no reply of ours is counted and changes nothing") {
    Pair pair;
    pair.world.run_for(ms);
    pair.run(Duration::from_ms(100));
    for (const char* mark : {"x", "']", " []"}) {
        pair.old.mark = mark;
        const std::uint64_t before = pair.counters().answered.read();
        const std::uint64_t invalid = pair.counters().invalid.read();
        pair.world.run_for(Duration::from_ms(5));
        CHECK(pair.counters().answered.read() == before);
        CHECK(pair.counters().invalid.read() >= invalid + 4);
    }
    pair.old.mark = "  ";  // latmon's: the operator has said what to speak.
    pair.world.run_for(Duration::from_ms(200));
    CHECK(pair.old.tracebacks == 0);
    CHECK(pair.counters().answered.read() >= 290);
}

TEST_CASE("ancestor: a port where nobody listens is unreachable, by the start that ICMP gives") {
    World world;
    ProbePlan probe = tagged_probe();
    probe.address->address = parse_endpoint("10.0.0.9", 0)->address;
    Node& near = world.add(plan_with({probe}), near_address);
    world.start();
    world.run_for(Duration::from_ms(300));
    const ProbeCounters& counters = near.core().counters(0);
    CHECK(counters.unreachable.read() >= 200);
    CHECK(counters.answered.read() == 0);
}

TEST_CASE("ancestor: latmon answers it too, and is not asked to speak STAMP") {
    World world;
    Node& near = world.add(plan_with({tagged_probe()}), near_address);
    Node& far = world.add(plan_with({}), far_address);
    world.start();
    world.run_for(Duration::from_ms(300));
    CHECK(near.core().counters(0).answered.read() >= 298);
    CHECK(near.core().counters(0).invalid.read() == 0);
    CHECK(far.core().udp_reflector().read(ReflectReason::reflected_ancestor) >= 298);
}

TEST_CASE("ancestor: an echo service answers nothing") {
    Pair pair;
    pair.old.echoes = true;
    pair.run(Duration::from_ms(300));
    CHECK(pair.counters().answered.read() == 0);
    CHECK(pair.counters().invalid.read() >= 1);
}

}  // namespace latmon::sim
