// SPDX-License-Identifier: Apache-2.0
//
// TCP probes over a kept connection, and handshakes on fresh ones.
#include "support/sim_node.hpp"

#include <doctest/doctest.h>
#include <cerrno>
#include <cstdlib>

namespace latmon::sim {
namespace {

struct Pair {
    explicit Pair(ProbeKind kind)
        : near(
              world.add(plan_with({probe_to("10.0.0.2", kind, Duration::from_ms(1))}), "10.0.0.1")),
          far(world.add(plan_with({}), "10.0.0.2")) {}

    [[nodiscard]] const ProbeCounters& counters() { return near.core().counters(0); }
    void check_accounts() {
        CHECK(counters().sent.read() == counters().answered.read() + counters().lost.read() +
                                            counters().unreachable.read() + counters().in_flight());
        CHECK(counters().in_flight() <= 101);
    }

    World world;
    Node& near;
    Node& far;
};

}  // namespace

TEST_CASE("tcp: every probe over a kept connection is answered, on one connection") {
    Pair pair(ProbeKind::tcp);
    pair.world.start();
    pair.world.run_for(Duration::from_s(1));
    const std::vector<Sample> ok =
        Node::only(pair.near.take_samples(), LATMON_KIND_EXCHANGE, LATMON_STATUS_OK);
    CHECK(ok.size() >= 997);
    for (const Sample& sample : ok) {
        CHECK(std::abs(sample.rtt_ns - 100'000) < 5'000);
        CHECK(sample.protocol == LATMON_PROTOCOL_TCP);
        CHECK(sample.packet_bytes == 100);
    }
    CHECK(pair.counters().lost.read() == 0);
    CHECK(pair.far.core().tcp_reflector().accepted.read() == 1);
    pair.check_accounts();
}

TEST_CASE("tcp: a broken connection is opened again, and what it cost until then is unreachable") {
    Pair pair(ProbeKind::tcp);
    pair.world.simulation.link = constant_link(Duration::from_ms(5));
    pair.world.start();
    pair.world.run_for(Duration::from_ms(200));
    pair.far.ring.reset_streams();
    pair.near.ring.reset_streams();
    pair.world.run_for(Duration::from_s(1));
    CHECK(pair.far.core().tcp_reflector().accepted.read() == 2);
    CHECK(pair.counters().unreachable.read() >= 109);  // In flight, and the pause until the next.
    CHECK(pair.counters().unreachable.read() <= 140);
    CHECK(pair.counters().local_error.read() <= 25);  // Before the first connection.
    CHECK(pair.counters().answered.read() > 900);
    CHECK(pair.counters().lost.read() == 0);
    CHECK(pair.near.ring.open_sockets() == 3);
    CHECK(pair.far.ring.open_sockets() == 3);
    pair.check_accounts();
}

TEST_CASE("tcp: a far end that is down is tried less and less often, and every slot is refused") {
    World world;
    Node& near = world.add(plan_with({probe_to("10.0.0.9", ProbeKind::tcp, Duration::from_ms(10))}),
                           "10.0.0.1");
    std::uint64_t handshakes = 0;
    world.simulation.link = [&](const Packet&, std::mt19937_64&) {
        ++handshakes;
        return std::vector{Duration::from_us(50)};
    };
    world.start();
    world.run_for(Duration::from_s(60));
    CHECK(handshakes >= 10);
    CHECK(handshakes <= 20);
    const ProbeCounters& counters = near.core().counters(0);
    CHECK(counters.unreachable.read() >= 5'990);
    CHECK(counters.sent.read() == counters.unreachable.read());
    CHECK(counters.local_error.read() <= 1);  // Before it was first tried.
    std::uint64_t refused = 0;
    for (const Sample& sample : near.take_samples()) {
        if (sample.kind != LATMON_KIND_EXCHANGE || sample.status != LATMON_STATUS_UNREACHABLE) {
            continue;
        }
        ++refused;
        CHECK(sample.error == ECONNREFUSED);
        CHECK((sample.valid & LATMON_HAS_SEQUENCE) != 0);
        CHECK((sample.valid & LATMON_HAS_T1) == 0);
    }
    CHECK(refused == counters.unreachable.read());
    CHECK(near.ring.open_sockets() <= 3);
}

TEST_CASE("tcp: while nobody answers the handshake every slot after a timeout is refused") {
    Pair pair(ProbeKind::tcp);
    pair.world.simulation.link = [](const Packet&, std::mt19937_64&) {
        return std::vector<Duration>{};
    };
    pair.world.start();
    pair.world.run_for(Duration::from_s(10));
    CHECK(pair.counters().answered.read() == 0);
    CHECK(pair.counters().local_error.read() <= 101);  // The first timeout: nobody knows yet.
    CHECK(pair.counters().unreachable.read() >= 9'890);
    pair.check_accounts();
}

TEST_CASE("tcp: a peer that stops reading is left, and disturbs no other probe") {
    World world;
    Plan plan = plan_with({probe_to("10.0.0.2", ProbeKind::tcp, Duration::from_ms(1)),
                           probe_to("10.0.0.2", ProbeKind::udp, Duration::from_ms(1))});
    plan.cores[0].probes[0].max_lost = 0;
    Node& near = world.add(std::move(plan), "10.0.0.1");
    Node& far = world.add(plan_with({}), "10.0.0.2");
    world.start();
    world.run_for(Duration::from_ms(100));
    near.ring.holds_streams = true;
    world.run_for(Duration::from_ms(900));
    const ProbeCounters& tcp = near.core().counters(0);
    CHECK(tcp.reopened.read() >= 1);
    CHECK(near.core().counters(1).answered.read() >= 997);
    CHECK(near.core().counters(1).missed.read() == 0);
    near.ring.holds_streams = false;
    world.run_for(Duration::from_s(6));
    CHECK(far.core().tcp_reflector().accepted.read() >= 2);
    CHECK(tcp.answered.read() >= 1'000);
    CHECK(tcp.sent.read() ==
          tcp.answered.read() + tcp.lost.read() + tcp.unreachable.read() + tcp.in_flight());
}

TEST_CASE("tcp: a stream cut at every possible place gives the same frames") {
    // The link delivers each octet on its own: prefaces, headers and packets are all cut
    // everywhere.
    Pair pair(ProbeKind::tcp);
    pair.world.simulation.segment_bytes = 1;
    pair.world.start();
    pair.world.run_for(Duration::from_ms(300));
    CHECK(pair.counters().answered.read() >= 296);
    CHECK(pair.counters().invalid.read() == 0);
    CHECK(pair.counters().reopened.read() == 0);
    CHECK(pair.far.core().tcp_reflector().closed_broken.read() == 0);
}

TEST_CASE("connect: the time of a handshake is the link's round trip") {
    Pair pair(ProbeKind::tcp_connect);
    pair.world.start();
    pair.world.run_for(Duration::from_s(1));
    const std::vector<Sample> ok =
        Node::only(pair.near.take_samples(), LATMON_KIND_CONNECT, LATMON_STATUS_OK);
    CHECK(ok.size() >= 998);
    for (const Sample& sample : ok)
        CHECK(std::abs(sample.rtt_ns - 100'000) < 5'000);
    CHECK(pair.near.ring.open_sockets() <= 4);
    CHECK(pair.far.ring.open_sockets() <= 4);
    pair.check_accounts();
}

TEST_CASE("connect: refused handshakes are unreachable, unanswered ones are lost") {
    for (const bool is_dropped : {true, false}) {
        World world;
        Node& near = world.add(
            plan_with({probe_to("10.0.0.9", ProbeKind::tcp_connect, Duration::from_ms(1))}),
            "10.0.0.1");
        world.simulation.link = [&](const Packet&, std::mt19937_64&) {
            return is_dropped ? std::vector<Duration>{} : std::vector{Duration::from_us(50)};
        };
        world.start();
        world.run_for(Duration::from_s(1));
        const ProbeCounters& counters = near.core().counters(0);
        CHECK(counters.sent.read() >= (is_dropped ? 890 : 990));
        CHECK(counters.answered.read() == 0);
        CHECK((is_dropped ? counters.lost : counters.unreachable).read() >= 890);
        CHECK((is_dropped ? counters.unreachable : counters.lost).read() == 0);
        CHECK(near.ring.open_sockets() <= 104);
    }
}

TEST_CASE("tcp: a peer that says nothing, or something else, is closed and counted") {
    World world;
    Node& far = world.add(plan_with({}), "10.0.0.2");
    // A connect probe opens connections and says nothing: here it keeps them open.
    Plan plan = plan_with({probe_to("10.0.0.2", ProbeKind::tcp_connect, Duration::from_s(1))});
    world.add(std::move(plan), "10.0.0.1");
    world.start();
    world.run_for(Duration::from_s(10));
    const TcpReflectorCounters& counters = far.core().tcp_reflector();
    CHECK(counters.accepted.read() >= 9);
    CHECK(counters.accepted.read() <=
          counters.closed_by_peer.read() + counters.closed_no_preface.read() + 1);
}

}  // namespace latmon::sim
