// SPDX-License-Identifier: Apache-2.0
//
// A core that sleeps through short whiles for the sake of its CPU: no figure may show it, and
// whoever waits for an answer of ours must not notice.
#include "base/limits.hpp"
#include "scenario/two_nodes.hpp"

namespace latmon::sim {
namespace {

constexpr Duration short_way = Duration::from_us(5);

void shorten(Pair& pair) {
    pair.world.simulation.link = [](const Packet&, std::mt19937_64&) {
        return std::vector{short_way};
    };
}

std::int64_t longest_dwell_ns(const std::vector<Sample>& samples) {
    std::int64_t longest_ns = 0;
    for (const Sample& sample : samples) {
        REQUIRE((sample.valid & LATMON_HAS_LOCAL_RX) != 0);
        longest_ns = std::max(longest_ns, sample.local_rx_ns);
    }
    return longest_ns;
}

}  // namespace

TEST_CASE(
    "patience: replies that the kernel stamped are read late, and their round trip is right") {
    Pair pair(near_plan());
    shorten(pair);
    pair.run(Duration::from_ms(500));
    const std::vector<Sample> samples = answers(pair.near);
    REQUIRE(samples.size() > 490);
    // From the sleep's beginning, which is the probe's departure.
    CHECK(longest_dwell_ns(samples) >= limits::reply_patience_ns - 2 * short_way.ns);
    CHECK(longest_dwell_ns(samples) <= limits::reply_patience_ns);
    for (const Sample& sample : samples) {
        CHECK(std::abs(sample.rtt_ns - 2 * short_way.ns) < 1'000);
        CHECK((sample.blame & LATMON_BLAME_RECEIVED_LATE) == 0);
    }
}

TEST_CASE("patience: a node that is asked answers at once, and reads its own replies at once") {
    Plan asking_too = plan_with({probe_to(near_address, ProbeKind::udp, Duration::from_ms(3))});
    Pair pair(near_plan(), std::move(asking_too));
    shorten(pair);
    pair.run(Duration::from_ms(100));
    static_cast<void>(pair.near.take_samples());
    pair.world.run_for(Duration::from_ms(400));
    const std::vector<Sample> samples = answers(pair.near);
    REQUIRE(samples.size() > 390);
    CHECK(longest_dwell_ns(samples) < 1'000);
    for (const Sample& sample : samples)
        CHECK(sample.turnaround_ns < 1'000);
}

TEST_CASE("patience: there is none where user space stamps, or for a connection's beginning") {
    SUBCASE("no kernel stamps") {
        Pair pair(near_plan());
        shorten(pair);
        pair.near.ring.refuse_stamps = true;
        pair.run(Duration::from_ms(500));
        for (const Sample& sample : answers(pair.near))
            CHECK(std::abs(sample.rtt_ns - 2 * short_way.ns) < 1'000);
    }
    SUBCASE("a connect probe beside") {
        Plan plan =
            plan_with({probe_to(far_address, ProbeKind::udp, Duration::from_ms(1)),
                       probe_to(far_address, ProbeKind::tcp_connect, Duration::from_ms(7))});
        Pair pair(std::move(plan));
        shorten(pair);
        pair.run(Duration::from_ms(500));
        const std::vector<Sample> connects =
            Node::only(pair.near.take_samples(), LATMON_KIND_CONNECT, LATMON_STATUS_OK);
        REQUIRE(connects.size() > 60);
        for (const Sample& sample : connects)
            CHECK(std::abs(sample.rtt_ns - 2 * short_way.ns) < 1'000);
    }
}

}  // namespace latmon::sim
