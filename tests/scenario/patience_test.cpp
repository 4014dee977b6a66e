// SPDX-License-Identifier: Apache-2.0
//
// A core that sleeps through short whiles for the sake of its CPU: no figure may show it, and
// whoever waits for an answer of ours must not notice.
#include "base/limits.hpp"
#include "scenario/two_nodes.hpp"

namespace latmon::sim {
namespace {

constexpr Duration short_way = Duration::from_us(5);

constexpr std::size_t crowd = limits::lone_probes_per_core + 1;

Plan crowded_plan() {
    const ProbePlan probe = probe_to(far_address, ProbeKind::udp, Duration::from_ms(10));
    return plan_with(std::vector(crowd, probe));
}

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

TEST_CASE("patience: replies that the kernel stamped are read late, their round trip is right") {
    Pair pair(crowded_plan());
    shorten(pair);
    pair.run(Duration::from_ms(500));
    const std::vector<Sample> samples = answers(pair.near);
    REQUIRE(samples.size() > 48 * crowd);
    // From the sleep's beginning, which is the probe's departure.
    CHECK(longest_dwell_ns(samples) >= limits::reply_patience_ns - 2 * short_way.ns);
    CHECK(longest_dwell_ns(samples) <= limits::reply_patience_ns);
    for (const Sample& sample : samples) {
        // The far end's own readings are some microseconds; the patience would be forty.
        CHECK(std::abs(sample.rtt_ns - 2 * short_way.ns) < 10'000);
        CHECK((sample.blame & LATMON_BLAME_RECEIVED_LATE) == 0);
    }
}

TEST_CASE("patience: a node that is asked answers at once, and reads its own replies at once") {
    Plan asking_too = plan_with({probe_to(near_address, ProbeKind::udp, Duration::from_ms(3))});
    Pair pair(crowded_plan(), std::move(asking_too));
    shorten(pair);
    pair.run(Duration::from_ms(100));
    static_cast<void>(pair.near.take_samples());
    pair.world.run_for(Duration::from_ms(400));
    const std::vector<Sample> samples = answers(pair.near);
    REQUIRE(samples.size() > 38 * crowd);
    CHECK(longest_dwell_ns(samples) < 1'000);
}

TEST_CASE("patience: there is none where it would be seen") {
    Plan plan = crowded_plan();
    bool is_stamped = true;
    SUBCASE("few probes: rtt_user_ns is an application's") {
        plan.cores[0].probes.resize(limits::lone_probes_per_core);
    }
    SUBCASE("the ancestor's shape publishes it") {
        plan.exporters.emplace_back().is_compatible = true;
    }
    SUBCASE("stamps of user space") {
        is_stamped = false;
    }
    SUBCASE("a connection's beginning") {
        plan.cores[0].probes[0] =
            probe_to(far_address, ProbeKind::tcp_connect, Duration::from_ms(10));
    }
    Pair pair(std::move(plan));
    shorten(pair);
    pair.near.ring.refuse_stamps = !is_stamped;
    pair.run(Duration::from_ms(500));
    const std::vector<Sample> samples = answers(pair.near);
    REQUIRE(samples.size() > 40 * limits::lone_probes_per_core);
    for (const Sample& sample : samples)
        CHECK(sample.rtt_user_ns - 2 * short_way.ns < 20'000);
}

}  // namespace latmon::sim
