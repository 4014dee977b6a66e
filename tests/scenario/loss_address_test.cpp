// SPDX-License-Identifier: Apache-2.0
//
// Two nodes over a link that drops on either way, and hosts that drop on their own: each loss is
// told with the place where it fell, to the packet, however the kernel gives its stamps.
#include "support/sim_node.hpp"

#include <doctest/doctest.h>
#include <cerrno>

namespace latmon::sim {
namespace {

constexpr const char* near_address = "10.0.0.1";
constexpr const char* far_address = "10.0.0.2";
constexpr Duration one_way = Duration::from_us(300);

// How the near kernel gives its stamps.
enum class Stamps : std::uint8_t { ring, error_queue, no_keys, none };

Plan near_plan() {
    ProbePlan probe = probe_to(far_address, ProbeKind::udp, Duration::from_ms(1));
    probe.max_lost = 0;  // The path stays as it is.
    return plan_with({probe});
}

// What the scenario made of probes.
struct Fates {
    std::uint64_t forward = 0;
    std::uint64_t reverse = 0;
    std::uint64_t local_tx = 0;
    std::uint64_t local_rx = 0;
    std::uint64_t refused = 0;
};

// Two nodes, the near one probing the far one once a millisecond.
struct Pair {
    explicit Pair(Stamps stamps = Stamps::ring, Plan plan = near_plan(), std::uint64_t seed = 1)
        : world(seed),
          near(world.add(std::move(plan), near_address)),
          far(world.add(plan_with({}), far_address)) {
        // The listeners are open by now; stamps are asked for when a probe's socket is.
        near.ring.refuse_stamps = stamps == Stamps::none;
        near.ring.has_stamps_in_error_queue = stamps == Stamps::error_queue;
        near.ring.has_stamp_keys = stamps != Stamps::no_keys;
        world.simulation.link = constant_link(one_way);
    }

    [[nodiscard]] const ProbeCounters& counters() { return near.core().counters(0); }
    [[nodiscard]] static bool is_forward(const Packet& packet) { return packet.to.port == 8001; }
    [[nodiscard]] bool hits(double probability) {
        return std::bernoulli_distribution(probability)(world.simulation.random());
    }

    // Every fate of `kinds`, a mask, now and then.
    void begin_faults(unsigned kinds) {
        const auto has = [kinds](unsigned bit) { return (kinds >> bit & 1U) != 0; };
        world.simulation.link = [this, has](const Packet& packet, std::mt19937_64&) {
            std::uint64_t& dropped = is_forward(packet) ? fates.forward : fates.reverse;
            if (has(is_forward(packet) ? 0 : 1) && hits(0.02)) {
                ++dropped;
                return std::vector<Duration>{};
            }
            if (!is_forward(packet) && has(2) && hits(0.02)) {
                ++fates.local_rx;
                world.simulation.at(world.simulation.now_ns() + one_way.ns,
                                    [this] { ++near.ring.arrivals_to_drop; });
            }
            return std::vector{one_way};
        };
        near.ring.lose_tx_stamp = [this, has](const Octets&) {
            const bool is_lost = has(3) && hits(0.02);
            fates.local_tx += is_lost ? 1U : 0U;
            return is_lost;
        };
        near.ring.refuse_send = [this, has](const Octets&) {
            const bool is_refused = has(4) && hits(0.02);
            fates.refused += is_refused ? 1U : 0U;
            return is_refused ? EPERM : 0;
        };
    }
    void end_faults() {
        world.simulation.link = constant_link(one_way);
        near.ring.lose_tx_stamp = [](const Octets&) { return false; };
        near.ring.refuse_send = [](const Octets&) { return 0; };
    }
    // Answers behind the last loss; then silence.
    void finish() {
        world.run_for(Duration::from_ms(300));
        near.core().apply({.kind = CoreCommand::Kind::stop_sending});
        world.run_for(Duration::from_ms(300));
        CHECK(near.core().is_idle());
    }

    void check_accounts(const std::vector<Sample>& samples) {
        const ProbeCounters& all = counters();
        CHECK(all.in_flight() == 0);
        CHECK(all.sent.read() == all.answered.read() + all.lost.read() + all.unreachable.read());
        const auto count = [&](latmon_status_t status) {
            return Node::only(samples, LATMON_KIND_EXCHANGE, status).size();
        };
        CHECK(count(LATMON_STATUS_OK) + count(LATMON_STATUS_REORDERED) == all.answered.read());
        CHECK(count(LATMON_STATUS_LOST_FORWARD) == all.lost_forward.read());
        CHECK(count(LATMON_STATUS_LOST_REVERSE) == all.lost_reverse.read());
        CHECK(count(LATMON_STATUS_LOST_LOCAL_TX) == all.lost_local_tx.read());
        CHECK(count(LATMON_STATUS_LOST_LOCAL_RX) == all.lost_local_rx.read());
        CHECK(count(LATMON_STATUS_LOCAL_ERROR) == all.local_error.read());
        CHECK(count(LATMON_STATUS_LOST) + count(LATMON_STATUS_LOST_FORWARD) +
                  count(LATMON_STATUS_LOST_REVERSE) + count(LATMON_STATUS_LOST_LOCAL_TX) +
                  count(LATMON_STATUS_LOST_LOCAL_RX) ==
              all.lost.read());
    }

    World world;
    Node& near;
    Node& far;
    Fates fates;
};

constexpr unsigned mixed = 0x1f;

std::size_t lost(const std::vector<Sample>& samples) {
    return Node::only(samples, LATMON_KIND_EXCHANGE, LATMON_STATUS_LOST).size();
}

}  // namespace

TEST_CASE("loss_address: each kind of loss alone and all of them mixed, to the packet") {
    for (const Stamps stamps : {Stamps::ring, Stamps::error_queue, Stamps::no_keys}) {
        for (const unsigned kinds : {1U, 2U, 4U, 8U, 16U, 3U, mixed}) {
            CAPTURE(kinds);
            CAPTURE(int{static_cast<std::uint8_t>(stamps)});
            Pair pair(stamps);
            pair.world.start();
            pair.world.run_for(Duration::from_ms(50));
            pair.begin_faults(kinds);
            pair.world.run_for(Duration::from_s(3));
            pair.end_faults();
            pair.finish();
            const std::vector<Sample> samples = pair.near.take_samples();
            const Fates& fates = pair.fates;
            CHECK(pair.counters().lost_forward.read() == fates.forward);
            CHECK(pair.counters().lost_reverse.read() == fates.reverse);
            CHECK(pair.counters().lost_local_rx.read() == fates.local_rx);
            CHECK(pair.counters().lost_local_tx.read() == fates.local_tx);
            CHECK(pair.counters().local_error.read() == fates.refused);
            CHECK(pair.counters().lost.read() ==
                  fates.forward + fates.reverse + fates.local_rx + fates.local_tx);
            CHECK(lost(samples) == 0);
            CHECK(fates.forward + fates.reverse + fates.local_rx + fates.local_tx + fates.refused >
                  20);
            pair.check_accounts(samples);
        }
    }
}

TEST_CASE("loss_address: without stamps, what never left this host counts as lost on its way") {
    Pair pair(Stamps::none);
    pair.world.start();
    pair.world.run_for(Duration::from_ms(50));
    pair.begin_faults(mixed);
    pair.world.run_for(Duration::from_s(3));
    pair.end_faults();
    pair.finish();
    CHECK(pair.fates.local_tx > 20);
    CHECK(pair.counters().lost_local_tx.read() == 0);
    CHECK(pair.counters().lost_forward.read() == pair.fates.forward + pair.fates.local_tx);
    CHECK(pair.counters().lost_reverse.read() == pair.fates.reverse);
    CHECK(pair.counters().lost_local_rx.read() == pair.fates.local_rx);
    pair.check_accounts(pair.near.take_samples());
}

TEST_CASE("loss_address: long gaps of both directions at once have exact sums") {
    Pair pair;
    std::uint64_t packets = 0;
    pair.world.start();
    pair.world.run_for(Duration::from_ms(50));
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        const bool is_forward = Pair::is_forward(packet);
        if (is_forward) ++packets;
        if (packets % 200 > 40) return std::vector{one_way};  // 40 ms of 200 nothing is answered.
        const bool is_forward_lost = packets % 3 == 0;
        if (is_forward != is_forward_lost) return std::vector{one_way};
        ++(is_forward ? pair.fates.forward : pair.fates.reverse);
        return std::vector<Duration>{};
    };
    pair.world.run_for(Duration::from_s(3));
    pair.end_faults();
    pair.finish();
    CHECK(pair.fates.forward > 150);
    CHECK(pair.fates.reverse > 300);
    CHECK(pair.counters().lost_forward.read() == pair.fates.forward);
    CHECK(pair.counters().lost_reverse.read() == pair.fates.reverse);
    pair.check_accounts(pair.near.take_samples());
}

TEST_CASE("loss_address: replies that find no room while we stand still are lost here") {
    Pair pair;
    pair.world.simulation.link = constant_link(Duration::from_ms(15));
    pair.near.ring.receive_limit = 10;
    pair.world.start();
    for (int round = 0; round < 10; ++round) {
        pair.world.run_for(Duration::from_ms(200));
        pair.near.frozen_until_ns = pair.world.simulation.now_ns() + 40'000'000;
    }
    pair.world.run_for(Duration::from_ms(50));
    pair.finish();
    const std::uint64_t dropped = pair.near.core().core_counters().socket_drops.read();
    CHECK(dropped >= 10 * 20);  // Thirty are under way at a time, and ten find room.
    CHECK(pair.counters().lost_local_rx.read() == dropped);
    CHECK(pair.counters().lost.read() == dropped);
    const std::vector<Sample> samples = pair.near.take_samples();
    pair.check_accounts(samples);
    for (const Sample& sample :
         Node::only(samples, LATMON_KIND_EXCHANGE, LATMON_STATUS_LOST_LOCAL_RX)) {
        CHECK((sample.blame & LATMON_BLAME_OVERFLOW) != 0);
    }
}

TEST_CASE("loss_address: what is lost for good is told as lost, once, before long") {
    Pair pair;
    pair.world.start();
    pair.world.run_for(Duration::from_ms(50));
    static_cast<void>(pair.near.take_samples());
    pair.world.simulation.link = [](const Packet&, std::mt19937_64&) {
        return std::vector<Duration>{};
    };
    pair.world.run_for(Duration::from_ms(150));
    // The timeout is over for some, but an answer may still say more.
    CHECK(pair.counters().lost.read() > 40);
    CHECK(lost(pair.near.take_samples()) == 0);
    pair.world.run_for(Duration::from_ms(850));
    CHECK(lost(pair.near.take_samples()) >= 795);
    pair.near.core().apply({.kind = CoreCommand::Kind::stop_sending});
    pair.world.run_for(Duration::from_ms(300));
    CHECK(pair.near.core().is_idle());
    CHECK(pair.counters().in_flight() == 0);
}

TEST_CASE("loss_address: every loss is told, though the path was opened anew meanwhile") {
    Plan plan = near_plan();
    plan.cores[0].probes[0].max_lost = 10;
    Pair pair(Stamps::ring, std::move(plan));
    pair.world.start();
    for (int round = 0; round < 3; ++round) {
        pair.world.simulation.link = constant_link(one_way);
        pair.world.run_for(Duration::from_ms(300));
        pair.world.simulation.link = [](const Packet&, std::mt19937_64&) {
            return std::vector<Duration>{};
        };
        pair.world.run_for(Duration::from_ms(400));
    }
    pair.world.simulation.link = constant_link(one_way);
    pair.finish();
    CHECK(pair.counters().reopened.read() >= 3);
    CHECK(pair.counters().lost.read() > 1'000);
    pair.check_accounts(pair.near.take_samples());
}

TEST_CASE("loss_address: a new path has a new session, whose losses have their addresses again") {
    Plan plan = near_plan();
    plan.cores[0].probes[0].max_lost = 10;
    Pair pair(Stamps::ring, std::move(plan));
    pair.world.start();
    pair.world.run_for(Duration::from_ms(100));
    pair.world.simulation.link = [](const Packet&, std::mt19937_64&) {
        return std::vector<Duration>{};
    };
    pair.world.run_for(Duration::from_ms(400));
    pair.world.simulation.link = constant_link(one_way);
    pair.world.run_for(Duration::from_ms(400));
    const std::uint64_t forward = pair.counters().lost_forward.read();
    const std::uint64_t reverse = pair.counters().lost_reverse.read();
    pair.begin_faults(3);
    pair.world.run_for(Duration::from_s(2));
    pair.end_faults();
    pair.finish();
    CHECK(pair.counters().reopened.read() >= 1);
    CHECK(pair.fates.forward > 10);
    CHECK(pair.counters().lost_forward.read() == forward + pair.fates.forward);
    CHECK(pair.counters().lost_reverse.read() == reverse + pair.fates.reverse);
}

TEST_CASE("loss_address: probes that come there too late make no later loss one of the way back") {
    Pair pair;
    std::uint64_t packets = 0;
    pair.world.start();
    pair.world.run_for(Duration::from_ms(50));
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        if (!Pair::is_forward(packet)) return std::vector{one_way};
        ++packets;
        if (packets % 100 == 0) {
            ++pair.fates.forward;
            return std::vector{Duration::from_ms(150)};
        }
        if (packets % 100 == 50) {
            ++pair.fates.forward;
            return std::vector<Duration>{};
        }
        return std::vector{one_way};
    };
    pair.world.run_for(Duration::from_s(2));
    pair.end_faults();
    pair.finish();
    CHECK(pair.counters().late.read() >= 18);
    CHECK(pair.counters().lost_forward.read() == pair.fates.forward);
    CHECK(pair.counters().lost_reverse.read() == 0);
    pair.check_accounts(pair.near.take_samples());
}

TEST_CASE("loss_address: copies made on the way there are no losses and move none") {
    Pair pair;
    pair.world.start();
    pair.world.run_for(Duration::from_ms(50));
    std::uint64_t copies = 0;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        const bool is_forward = Pair::is_forward(packet);
        // The probe's number, in the probe and in its reply. One in 16 comes there twice, and is
        // spared: of two replies one may be lost, which nobody can tell.
        const std::byte number = packet.octets.at(is_forward ? 3 : 27);
        if ((number & std::byte{15}) == std::byte{5}) {
            if (!is_forward) return std::vector{one_way};
            ++copies;
            return std::vector{one_way, one_way + Duration::from_us(100)};
        }
        if (!pair.hits(0.02)) return std::vector{one_way};
        ++(is_forward ? pair.fates.forward : pair.fates.reverse);
        return std::vector<Duration>{};
    };
    pair.world.run_for(Duration::from_s(3));
    pair.end_faults();
    pair.finish();
    CHECK(copies > 150);
    CHECK(pair.counters().duplicate.read() == copies);
    CHECK(pair.counters().lost_forward.read() == pair.fates.forward);
    CHECK(pair.counters().lost_reverse.read() == pair.fates.reverse);
    pair.check_accounts(pair.near.take_samples());
}

TEST_CASE(
    "loss_address: a reflector that starts again while many are in flight leaves nothing "
    "wrong behind") {
    Pair pair;
    constexpr Duration far_away = Duration::from_ms(15);
    std::uint32_t counted = 0;
    std::uint32_t forgotten = 0;
    bool has_faults = false;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        const bool is_forward = Pair::is_forward(packet);
        if (!is_forward) {  // Its own number, as if it had forgotten some.
            auto& octets = const_cast<Packet&>(packet).octets;
            const std::uint32_t number = counted++ - forgotten;
            for (std::size_t at = 0; at < 4; ++at)
                octets.at(at) = static_cast<std::byte>(number >> (24 - 8 * at));
        }
        if (!has_faults || !pair.hits(0.03)) return std::vector{far_away};
        ++(is_forward ? pair.fates.forward : pair.fates.reverse);
        return std::vector<Duration>{};
    };
    pair.world.start();
    for (int round = 0; round < 4; ++round) {
        pair.world.run_for(Duration::from_ms(500));
        forgotten = counted;
        pair.world.run_for(Duration::from_ms(500));
        has_faults = true;
        pair.world.run_for(Duration::from_s(1));
        has_faults = false;
    }
    pair.finish();
    CHECK(pair.fates.forward > 50);
    CHECK(pair.counters().lost_forward.read() == pair.fates.forward);
    CHECK(pair.counters().lost_reverse.read() == pair.fates.reverse);
    pair.check_accounts(pair.near.take_samples());
}

}  // namespace latmon::sim
