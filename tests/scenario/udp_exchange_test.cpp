// SPDX-License-Identifier: Apache-2.0
//
// UDP probes between two nodes over links that lose, delay, reorder and duplicate.
#include "support/sim_node.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <cstdlib>
#include <set>

namespace latmon::sim {
namespace {

constexpr const char* near_address = "10.0.0.1";
constexpr const char* far_address = "10.0.0.2";

// Two nodes, the near one probing the far one once a millisecond.
struct Pair {
    explicit Pair(std::uint64_t seed = 1)
        : world(seed),
          near(world.add(plan_with({probe_to(far_address, ProbeKind::udp, Duration::from_ms(1))}),
                         near_address)),
          far(world.add(plan_with({}), far_address)) {}

    [[nodiscard]] const ProbeCounters& counters() { return near.core().counters(0); }
    [[nodiscard]] bool is_forward(const Packet& packet) const { return packet.to.port == 8001; }

    void check_accounts() {
        CHECK(counters().sent.read() == counters().answered.read() + counters().lost.read() +
                                            counters().unreachable.read() + counters().in_flight());
        CHECK(counters().in_flight() <= 101);
    }

    World world;
    Node& near;
    Node& far;
};

std::vector<Sample> exchanges(const std::vector<Sample>& samples, latmon_status_t status) {
    return Node::only(samples, LATMON_KIND_EXCHANGE, status);
}

}  // namespace

TEST_CASE("udp: over a clean link every probe is answered, and the rtt is the link's") {
    Pair pair;
    pair.world.start();
    pair.world.run_for(Duration::from_s(1));
    const std::vector<Sample> samples = pair.near.take_samples();
    CHECK(exchanges(samples, LATMON_STATUS_OK).size() >= 998);
    for (const Sample& sample : samples) {
        REQUIRE(sample.status == LATMON_STATUS_OK);
        CHECK((sample.valid & LATMON_HAS_RTT) != 0);
        CHECK(std::abs(sample.rtt_ns - 100'000) < 5'000);
        CHECK(sample.rtt_user_ns >= sample.rtt_ns);
        CHECK(sample.local_tx_ns + sample.rtt_ns + sample.turnaround_ns + sample.local_rx_ns ==
              sample.rtt_user_ns);
        CHECK(sample.owd_class != LATMON_OWD_BOUNDED);
        CHECK(sample.t1_stamp == LATMON_STAMP_KERNEL);
        CHECK(sample.t2_stamp == LATMON_STAMP_KERNEL);
        CHECK((sample.sequence == 0 || sample.sequence > 990 ||
               sample.t3_stamp == LATMON_STAMP_KERNEL));
        CHECK(sample.t4_stamp == LATMON_STAMP_KERNEL);
        CHECK(sample.ttl_fwd == 64);
        CHECK(sample.packet_bytes == 100);
        CHECK(sample.blame == LATMON_BLAME_CLOCK_UNSYNCED);
    }
    pair.check_accounts();
    CHECK(pair.counters().lost.read() == 0);
    CHECK(pair.counters().missed.read() == 0);
}

TEST_CASE("udp: a sample's time is when it is made, however long its answer waited for a stamp") {
    ProbePlan probe = probe_to(far_address, ProbeKind::udp, Duration::from_s(1));
    World world;
    Node& near = world.add(plan_with({probe}), near_address);
    world.add(plan_with({}), far_address);
    world.start();
    std::uint64_t answered = 0;
    std::uint64_t waited = 0;
    for (int step = 0; step < 1'000; ++step) {
        const WallTime before = near.clock.wall_now();
        world.run_for(Duration::from_ms(10));
        const WallTime after = near.clock.wall_now();
        for (const Sample& sample : exchanges(near.take_samples(), LATMON_STATUS_OK)) {
            ++answered;
            CHECK(sample.time_ns >= before.ns);
            CHECK(sample.time_ns <= after.ns);
            if (sample.time_ns - sample.t4_ns > 900'000'000) ++waited;
        }
    }
    CHECK(answered >= 8);
    CHECK(waited >= 7);  // An interval: for the follow-up in the next reply.
}

TEST_CASE("udp: what the link drops is lost, to the packet, and nothing else is") {
    Pair pair;
    std::uint64_t packets = 0;
    std::uint64_t dropped = 0;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        if (pair.is_forward(packet) && ++packets % 100 == 0) {
            ++dropped;
            return std::vector<Duration>{};
        }
        return std::vector{Duration::from_us(300)};
    };
    pair.world.start();
    pair.world.run_for(Duration::from_s(10));
    pair.near.core().apply({.kind = CoreCommand::Kind::stop_sending});
    pair.world.run_for(Duration::from_ms(200));
    CHECK(pair.near.core().is_idle());
    CHECK(dropped == 100);
    CHECK(pair.counters().lost.read() == dropped);
    CHECK(pair.counters().sent.read() == pair.counters().answered.read() + dropped);
    const std::vector<Sample> samples = pair.near.take_samples();
    CHECK(exchanges(samples, LATMON_STATUS_LOST).size() <= 1);  // The last has no answer behind it.
    std::vector<Sample> lost = exchanges(samples, LATMON_STATUS_LOST_FORWARD);
    std::ranges::copy(exchanges(samples, LATMON_STATUS_LOST), std::back_inserter(lost));
    CHECK(lost.size() == dropped);
    for (const Sample& sample : lost) {
        CHECK((sample.valid & (LATMON_HAS_RTT | LATMON_HAS_RTT_USER | LATMON_HAS_T4)) == 0);
        CHECK(sample.rtt_ns == 0);
    }
}

TEST_CASE("udp: a reply after the timeout is late and never an rtt") {
    Pair pair;
    std::uint64_t replies = 0;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        const bool is_slow = !pair.is_forward(packet) && ++replies % 10 == 0;
        return std::vector{is_slow ? Duration::from_ms(150) : Duration::from_us(50)};
    };
    pair.world.start();
    pair.world.run_for(Duration::from_s(2));
    const std::vector<Sample> samples = pair.near.take_samples();
    const std::vector<Sample> late = exchanges(samples, LATMON_STATUS_LATE);
    CHECK(late.size() > 150);
    CHECK(late.size() == pair.counters().late.read());
    std::set<std::uint32_t> lost;
    // The reflector had counted them, and nothing had come back when time was out.
    for (const Sample& sample : exchanges(samples, LATMON_STATUS_LOST_REVERSE))
        lost.insert(sample.sequence);
    for (const Sample& sample : late) {
        CHECK((sample.valid & LATMON_HAS_RTT) == 0);
        CHECK(lost.contains(sample.sequence));
    }
    pair.check_accounts();
}

TEST_CASE("udp: a second copy is a duplicate and changes no account") {
    Pair pair;
    std::uint64_t replies = 0;
    std::uint64_t copied = 0;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        if (!pair.is_forward(packet) && ++replies % 7 == 0) {
            ++copied;
            return std::vector{Duration::from_us(50), Duration::from_us(90)};
        }
        return std::vector{Duration::from_us(50)};
    };
    pair.world.start();
    pair.world.run_for(Duration::from_s(1));
    CHECK(copied > 100);
    CHECK(pair.counters().duplicate.read() == copied);
    CHECK(exchanges(pair.near.take_samples(), LATMON_STATUS_DUPLICATE).size() == copied);
    CHECK(pair.counters().lost.read() == 0);
    pair.check_accounts();
}

TEST_CASE("udp: a reply that is overtaken is reordered and still measured") {
    Pair pair;
    std::uint64_t packets = 0;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        const bool is_slow = pair.is_forward(packet) && ++packets % 50 == 0;
        return std::vector{is_slow ? Duration::from_us(2'500) : Duration::from_us(50)};
    };
    pair.world.start();
    pair.world.run_for(Duration::from_s(1));
    const std::vector<Sample> reordered =
        exchanges(pair.near.take_samples(), LATMON_STATUS_REORDERED);
    CHECK(reordered.size() == pair.counters().reordered.read());
    CHECK(reordered.size() >= 18);
    for (const Sample& sample : reordered)
        CHECK(std::abs(sample.rtt_ns - 2'550'000) < 20'000);
    CHECK(pair.counters().lost.read() == 0);
    pair.check_accounts();
}

TEST_CASE("udp: a jump of either wall clock changes no rtt") {
    for (const std::int64_t jump_ns : {3'000'000'000LL, -3'000'000'000LL, 1'000'000LL, 30'000LL}) {
        for (const bool is_near : {true, false}) {
            Pair pair;
            pair.world.start();
            pair.world.run_for(Duration::from_ms(500));
            // In the middle of exchanges that are under way.
            pair.world.simulation.at(pair.world.simulation.now_ns() + 120'000, [&] {
                (is_near ? pair.near : pair.far).clock.wall_offset_ns += jump_ns;
            });
            pair.world.run_for(Duration::from_ms(500));
            const std::vector<Sample> samples = pair.near.take_samples();
            CHECK(samples.size() >= 998);
            for (const Sample& sample : samples) {
                REQUIRE(sample.status == LATMON_STATUS_OK);
                CHECK(std::abs(sample.rtt_ns - 100'000) < 5'000);
            }
        }
    }
}

TEST_CASE("udp: slots that a stall let pass are missed, not lost, and not caught up in a burst") {
    Pair pair;
    pair.world.start();
    pair.world.run_for(Duration::from_ms(100));
    pair.near.frozen_until_ns = pair.world.simulation.now_ns() + 5'000'000'000;
    std::uint64_t burst = 0;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        if (pair.is_forward(packet)) ++burst;
        return std::vector{Duration::from_us(50)};
    };
    pair.world.run_for(Duration::from_ms(5'001));
    CHECK(burst <= 2);
    pair.world.run_for(Duration::from_ms(100));
    CHECK(pair.counters().missed.read() >= 4'997);
    CHECK(pair.counters().missed.read() <= 5'000);
    // The one probe that was under way is given up, and the sample says whose fault it was.
    CHECK(pair.counters().lost.read() <= 1);
    std::uint64_t blamed = 0;
    for (const Sample& sample : pair.near.take_samples()) {
        const bool is_blamed = (sample.blame & LATMON_BLAME_LOOP_STALLED) != 0;
        if (sample.status == LATMON_STATUS_LOST) CHECK(is_blamed);
        blamed += is_blamed ? 1U : 0U;
    }
    CHECK(blamed >= 1);
}

TEST_CASE("udp: a port where nobody listens makes probes unreachable, not lost") {
    World world;
    Node& near = world.add(plan_with({probe_to("10.0.0.9", ProbeKind::udp, Duration::from_ms(1))}),
                           near_address);
    world.start();
    world.run_for(Duration::from_ms(500));
    const ProbeCounters& counters = near.core().counters(0);
    const std::vector<Sample> unreachable =
        exchanges(near.take_samples(), LATMON_STATUS_UNREACHABLE);
    CHECK(counters.sent.read() > 480);
    CHECK(unreachable.size() == counters.unreachable.read());
    for (const Sample& sample : unreachable)
        CHECK(sample.error == ECONNREFUSED);
    CHECK(counters.sent.read() == counters.unreachable.read() + counters.lost.read() +
                                      counters.answered.read() + counters.in_flight());
    CHECK(counters.unreachable.read() >= counters.sent.read() * 9 / 10);
    // The path is opened anew now and then, and nothing leaks.
    CHECK(counters.reopened.read() > 0);
    CHECK(near.ring.open_sockets() == 3);
}

TEST_CASE("udp: what the local host refuses to send is a local error, not a loss") {
    Pair pair;
    std::uint64_t sends = 0;
    pair.near.ring.refuse_send = [&](const Octets&) { return ++sends % 5 == 0 ? EPERM : 0; };
    pair.world.start();
    pair.world.run_for(Duration::from_s(1));
    CHECK(pair.counters().local_error.read() >= 199);
    CHECK(pair.counters().lost.read() == 0);
    for (const Sample& sample : exchanges(pair.near.take_samples(), LATMON_STATUS_LOCAL_ERROR)) {
        CHECK(sample.error == EPERM);
        CHECK((sample.valid & LATMON_HAS_ERROR) != 0);
    }
    pair.check_accounts();
}

TEST_CASE("udp: receives that end for want of buffers go on, and lose nothing") {
    Pair pair;
    pair.far.ring.buffers_free = 3;
    // Everything sent within 20 ms arrives at once.
    pair.world.simulation.link = [&](const Packet&, std::mt19937_64&) {
        const std::int64_t now_ns = pair.world.simulation.now_ns();
        return std::vector{Duration{20'000'000 - now_ns % 20'000'000}};
    };
    pair.world.start();
    pair.world.run_for(Duration::from_s(1));
    CHECK(pair.far.core().reactor().counters().overflows > 0);
    CHECK(pair.counters().lost.read() == 0);
    CHECK(pair.counters().answered.read() > 940);
    pair.near.core().apply({.kind = CoreCommand::Kind::stop_sending});
    pair.world.run_for(Duration::from_ms(200));
    CHECK(pair.far.ring.buffers_free == 3);
}

TEST_CASE("udp: a reply that nobody asked for is invalid and counts for nothing else") {
    Pair pair;
    Octets stored;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        if (!pair.is_forward(packet)) {
            // The echoed T1, octets 28-35, is the nonce: change one bit of it in a copy.
            Packet forged = packet;
            forged.octets[33] ^= std::byte{1};
            const_cast<Packet&>(packet).octets = forged.octets;
        }
        return std::vector{Duration::from_us(50)};
    };
    pair.world.start();
    pair.world.run_for(Duration::from_ms(300));
    CHECK(pair.counters().answered.read() == 0);
    CHECK(pair.counters().invalid.read() > 290);
    CHECK(pair.counters().lost.read() > 190);
    pair.check_accounts();
}

TEST_CASE("udp: any number of invalid replies is told in one sample with the next probe") {
    Pair pair;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        const bool is_reply = !pair.is_forward(packet);
        if (is_reply) const_cast<Packet&>(packet).octets.at(33) ^= std::byte{1};
        return std::vector(is_reply ? 7 : 1, Duration::from_us(50));
    };
    pair.world.start();
    pair.world.run_for(Duration::from_ms(300));
    pair.near.core().apply({.kind = CoreCommand::Kind::stop_sending});
    pair.world.run_for(Duration::from_s(1));
    const std::vector<Sample> told = exchanges(pair.near.take_samples(), LATMON_STATUS_INVALID);
    CHECK(told.size() <= pair.counters().sent.read() + 2);
    std::int64_t sum = 0;
    for (const Sample& sample : told) {
        CHECK((sample.valid & LATMON_HAS_VALUE) != 0);
        CHECK((sample.valid & LATMON_HAS_SEQUENCE) == 0);
        sum += sample.value;
    }
    CHECK(sum > 7 * 290);
    CHECK(static_cast<std::uint64_t>(sum) == pair.counters().invalid.read());
}

TEST_CASE("udp: a target that moves is probed at its new address") {
    World world;
    Plan plan = plan_with({probe_to(far_address, ProbeKind::udp, Duration::from_ms(1))});
    plan.cores[0].probes[0].address.reset();
    Node& near = world.add(std::move(plan), near_address);
    Node& far = world.add(plan_with({}), far_address);
    Node& farther = world.add(plan_with({}), "10.0.0.3");
    world.start();
    world.run_for(Duration::from_ms(50));
    const ProbeCounters& counters = near.core().counters(0);
    CHECK(counters.sent.read() == 0);
    CHECK(counters.local_error.read() >= 48);
    for (const Sample& sample : near.take_samples()) {
        CHECK(sample.error == LATMON_ERROR_UNRESOLVED);
    }
    const auto move_to = [&](const char* address) {
        near.core().apply({.kind = CoreCommand::Kind::set_address,
                           .index = 0,
                           .address = parse_endpoint(address, 0)->address});
    };
    move_to(far_address);
    world.run_for(Duration::from_ms(50));
    CHECK(far.core().udp_reflector().read(ReflectReason::reflected) >= 48);
    move_to("10.0.0.3");
    world.run_for(Duration::from_ms(50));
    CHECK(farther.core().udp_reflector().read(ReflectReason::reflected) >= 47);
    CHECK(near.ring.open_sockets() == 3);
}

}  // namespace latmon::sim
