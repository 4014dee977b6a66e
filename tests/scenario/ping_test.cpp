// SPDX-License-Identifier: Apache-2.0
//
// A ping in virtual time: it sends what it was asked to send and no more, and ends when the last of
// it has met its fate.
#include "daemon/ping_plan.hpp"
#include "daemon/ping_session.hpp"
#include "support/sim_node.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <memory>

namespace latmon::sim {
namespace {

PingOptions options_of(std::uint64_t count, Duration interval) {
    PingOptions options;
    options.host = "10.0.0.2";
    options.count = count;
    options.interval = interval;
    options.timeout = Duration::from_ms(100);
    options.precision = Precision::power;
    return options;
}

// A ping at 10.0.0.1, a reflector at 10.0.0.2.
struct Run {
    explicit Run(const PingOptions& given, std::uint16_t port = 8001)
        : options(given),
          clock(world.simulation),
          ring(world.simulation, world.directory, *parse_endpoint("10.0.0.1", 0), clock),
          plan(*make_ping_plan(options, *parse_endpoint("10.0.0.2", port), 0)),
          far(world.add(plan_with({}), "10.0.0.2")),
          session(plan, {.boot_nonce = 7, .hash_key = {1, 2}, .timers_max = 64}, ring, clock) {}

    void start() {
        world.start();
        session.start(Duration::from_ms(20),
                      [this](const Sample& sample) { samples.push_back(sample); });
    }
    // Until it is done, or virtual time is over.
    void run_for(Duration duration) {
        const std::int64_t end_ns = world.simulation.now_ns() + duration.ns;
        while (!session.is_done() && world.simulation.now_ns() < end_ns) {
            const std::int64_t due_ns = ring.has_ready() ? 0 : std::min(ring.wake_at().ns, end_ns);
            if (due_ns <= world.simulation.now_ns()) {
                session.turn(Instant{end_ns});
            } else {
                const std::int64_t until_ns = std::min(due_ns, world.simulation.next_event_ns());
                const std::int64_t passes_ns = until_ns - world.simulation.now_ns();
                world.run_for(Duration{std::max<std::int64_t>(passes_ns, 1)});
            }
        }
    }
    void run() {
        start();
        run_for(Duration::from_s(100));
        REQUIRE(session.is_done());
    }
    [[nodiscard]] std::uint64_t sent() const { return session.counters().sent.read(); }

    PingOptions options;
    World world;
    SimClock clock;
    SimRing ring;
    Plan plan;
    Node& far;
    PingSession session;
    std::vector<Sample> samples;
};

// Loses the probes, or the replies, with these numbers.
Link losing(std::vector<std::uint32_t> lost, bool is_reply) {
    return [lost = std::move(lost), is_reply](const Packet& packet, std::mt19937_64&) {
        const bool is_from_far = packet.from.port == 8001;
        const std::size_t at = is_from_far ? 24 : 0;  // Sender Sequence Number, or the number.
        const auto number = std::to_integer<std::uint32_t>(packet.octets.at(at + 3));
        const bool is_lost =
            is_from_far == is_reply && std::find(lost.begin(), lost.end(), number) != lost.end();
        return is_lost ? std::vector<Duration>{} : std::vector<Duration>{Duration::from_us(50)};
    };
}

}  // namespace

TEST_CASE("ping: as many probes are sent as were asked for, and all are told, in order") {
    for (const Duration interval :
         {Duration::from_us(100), Duration::from_ms(1), Duration::from_ms(10),
          Duration::from_ms(300), Duration::from_s(1)}) {
        CAPTURE(interval.ns);
        Run run(options_of(7, interval));
        run.run();
        CHECK(run.sent() == 7);
        CHECK(run.session.tally().answered == 7);
        REQUIRE(run.samples.size() == 7);
        for (std::uint32_t index = 0; index < 7; ++index)
            CHECK(run.samples[index].sequence == index);
    }
}

TEST_CASE("ping: a host that stands still between any two turns sends no probe too many") {
    for (const Duration interval : {Duration::from_us(100), Duration::from_ms(20)}) {
        CAPTURE(interval.ns);
        Run run(options_of(3, interval));
        run.start();
        for (std::uint32_t turns = 0; !run.session.is_done(); ++turns) {
            REQUIRE(turns < 1'000);
            run.session.turn(Instant{run.world.simulation.now_ns()});
            run.world.run_for(interval * 5 / 2);
        }
        CHECK(run.sent() == 3);
        CHECK(run.session.tally().settled() == 3);
    }
}

TEST_CASE("ping: a single probe needs no second one") {
    Run run(options_of(1, Duration::from_s(1)));
    run.run();
    CHECK(run.sent() == 1);
    CHECK(run.session.tally().answered == 1);
    // Well before the next would have been due.
    CHECK(run.world.simulation.now_ns() < 1'900'000'000);
}

TEST_CASE("ping: losses are told with the way they fell on, by the last answer too") {
    for (const bool is_reply : {false, true}) {
        CAPTURE(is_reply);
        Run run(options_of(6, Duration::from_ms(150)));
        run.world.simulation.link = losing({1, 2, 4}, is_reply);
        run.run();
        CHECK(run.sent() == 6);
        CHECK(run.session.tally().answered == 3);
        CHECK(run.session.tally().lost_forward == (is_reply ? 0 : 3));
        CHECK(run.session.tally().lost_reverse == (is_reply ? 3 : 0));
        CHECK(run.session.tally().settled() == 6);
    }
}

TEST_CASE("ping: where nobody answers it ends one timeout after the last probe") {
    Run run(options_of(5, Duration::from_ms(200)));
    run.world.simulation.link = [](const Packet&, std::mt19937_64&) {
        return std::vector<Duration>{};
    };
    run.start();
    const std::int64_t began_ns = run.world.simulation.now_ns();
    run.run_for(Duration::from_s(100));
    CHECK(run.session.is_done());
    CHECK(run.sent() == 5);
    CHECK(run.session.tally().answered == 0);
    CHECK(run.session.tally().lost() == 5);
    CHECK(run.session.counters().in_flight() == 0);
    CHECK(run.world.simulation.now_ns() - began_ns < 20'000'000 + 4 * 200'000'000 + 160'000'000);
}

TEST_CASE("ping: a port where nobody listens is unreachable, with the reason") {
    Run run(options_of(3, Duration::from_ms(50)), 9'999);
    run.run();
    CHECK(run.session.tally().answered == 0);
    CHECK(PingTally::sum_of(run.session.tally().unreachable) == 3);
    CHECK(run.session.tally().unreachable.contains(ECONNREFUSED));
}

TEST_CASE("ping: an interrupt ends it as soon as what is in flight has come back") {
    Run run(options_of(1'000, Duration::from_ms(10)));
    run.world.simulation.link = constant_link(Duration::from_ms(20));
    run.start();
    run.run_for(Duration::from_ms(105));
    const std::uint64_t sent = run.sent();
    CHECK(sent >= 8);
    CHECK(run.session.counters().in_flight() > 0);
    run.session.interrupt();
    CHECK_FALSE(run.session.is_done());
    run.run_for(Duration::from_s(1));
    CHECK(run.session.is_done());
    CHECK(run.sent() == sent);
    CHECK(run.session.tally().answered == sent);
}

TEST_CASE("ping: a second interrupt waits for nothing, and what was in flight stays so") {
    Run run(options_of(1'000, Duration::from_ms(10)));
    run.world.simulation.link = constant_link(Duration::from_ms(40));
    run.start();
    run.run_for(Duration::from_ms(50));
    run.session.interrupt();
    run.session.interrupt();
    CHECK(run.session.is_done());
    CHECK(run.session.counters().in_flight() > 0);
    CHECK(run.session.tally().lost() == 0);
}

TEST_CASE("ping: over TCP the same") {
    PingOptions options = options_of(4, Duration::from_ms(20));
    options.is_tcp = true;
    Run run(options, 8000);
    run.run();
    CHECK(run.sent() == 4);
    CHECK(run.session.tally().answered == 4);
    CHECK(run.samples.front().protocol == LATMON_PROTOCOL_TCP);
}

}  // namespace latmon::sim
