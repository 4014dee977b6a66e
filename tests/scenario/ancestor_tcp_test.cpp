// SPDX-License-Identifier: Apache-2.0
//
// Probes to nodes of the Python tool latency-monitor over TCP, where one message at a time is all
// that they can take.
#include "scenario/old_node.hpp"

#include <doctest/doctest.h>
#include <cstdlib>

namespace latmon::sim {
namespace {

constexpr Duration ms = Duration::from_ms(1);

struct Pair : NearAndOld {
    explicit Pair(ProbePlan probe = ancestor_probe(ProbeKind::tcp))
        : NearAndOld(plan_with({std::move(probe)})) {}

    void check_untroubled() {
        CHECK(counters().lost.read() == 0);
        CHECK(counters().invalid.read() == 0);
        CHECK(counters().reopened.read() == 0);
        CHECK(old.tracebacks == 0);
        CHECK(old.coalesced == 0);
        CHECK(old.out_of_sequence == 0);
        CHECK(old.connections == 1);
    }
};

}  // namespace

TEST_CASE("ancestor tcp: every probe is answered, on one connection") {
    Pair pair;
    pair.run(Duration::from_ms(500));
    CHECK(pair.counters().answered.read() >= 497);
    CHECK(pair.counters().missed.read() == 0);
    pair.check_untroubled();
    for (const std::string& request : pair.old.requests)
        CHECK(request.size() == 300);
    const std::vector<Sample> answers =
        Node::only(pair.near.take_samples(), LATMON_KIND_EXCHANGE, LATMON_STATUS_OK);
    for (const Sample& sample : answers) {
        CHECK(std::abs(sample.rtt_ns - 100'000) < 5'000);
        CHECK(sample.protocol == LATMON_PROTOCOL_TCP);
        CHECK(sample.packet_bytes == 300);
        CHECK((sample.valid & LATMON_HAS_T3) == 0);
    }
}

TEST_CASE("ancestor tcp: an old node never gets two messages at once, slots are missed instead") {
    Pair pair;
    pair.world.simulation.link = constant_link(Duration::from_us(1'700));
    pair.old.watch();
    pair.old.turnaround = Duration::from_us(300);
    pair.run(Duration::from_ms(400));
    CHECK(pair.counters().answered.read() >= 97);
    CHECK(pair.counters().missed.read() >= 290);
    CHECK(pair.counters().in_flight() <= 1);
    pair.check_untroubled();
}

TEST_CASE("ancestor tcp: replies are found wherever the stream is cut") {
    for (const std::size_t segment_bytes : {1U, 2U, 3U, 7U, 50U, 299U, 300U}) {
        Pair pair;
        pair.old.reply_segment_bytes = segment_bytes;
        pair.run(Duration::from_ms(150));
        CHECK(pair.counters().answered.read() >= 147);
        pair.check_untroubled();
    }
}

TEST_CASE("ancestor tcp: of a reply that is received whole the kernel's arrival is known") {
    ProbePlan probe = ancestor_probe(ProbeKind::tcp);
    probe.size_bytes = 1'470;
    Pair pair(std::move(probe));
    pair.run(Duration::from_ms(100));
    CHECK(pair.counters().answered.read() >= 97);
    CHECK(pair.counters().stamped_rx.read() == pair.counters().answered.read());
    CHECK(pair.counters().stamped_tx.read() >= pair.counters().answered.read());
    pair.check_untroubled();
}

TEST_CASE("ancestor tcp: a far end that hangs is left, and its answer of before is not believed") {
    Pair pair;
    pair.run(Duration::from_ms(100));
    const std::uint64_t answered = pair.counters().answered.read();
    pair.old.is_silent = true;
    pair.world.run_for(Duration::from_s(2));
    CHECK(pair.counters().answered.read() <= answered + 1);
    CHECK(pair.counters().reopened.read() >= 1);
    pair.old.is_silent = false;
    pair.world.run_for(Duration::from_s(6));
    CHECK(pair.counters().answered.read() >= answered + 500);
    CHECK(pair.old.tracebacks == 0);
}

TEST_CASE("ancestor tcp: garbage ends the connection and is counted") {
    Pair pair;
    pair.old.name = std::string("a\x01");
    pair.run(Duration::from_ms(300));
    CHECK(pair.counters().answered.read() == 0);
    CHECK(pair.counters().invalid.read() >= 1);
    CHECK(pair.counters().reopened.read() >= 1);
}

TEST_CASE("ancestor tcp: an echo service answers nothing") {
    Pair pair;
    pair.old.echoes = true;
    pair.run(Duration::from_ms(300));
    CHECK(pair.counters().answered.read() == 0);
    CHECK(pair.counters().invalid.read() >= 1);
}

}  // namespace latmon::sim
