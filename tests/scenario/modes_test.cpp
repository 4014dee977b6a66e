// SPDX-License-Identifier: Apache-2.0
//
// The other ways in which two nodes may speak: TWAMP-Light, stateless, in PTP's format, with a
// reflector that knows no session ids; and what follow-ups and clock epochs are for.
#include "scenario/two_nodes.hpp"
#include "wire/stamp.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>

namespace latmon::sim {

// -- TWAMP-Light --------------------------------------------------------------------------------

namespace {

Plan twamp_light_plan(std::uint32_t size_bytes) {
    Plan plan = near_plan();
    ProbePlan& probe = probe_of(plan);
    probe.protocol = ProbeProtocol::twamp_light;
    probe.ssid = 0;
    probe.tlvs = 0;
    probe.size_bytes = size_bytes;
    probe.waits_for_follow_up = false;
    return plan;
}

}  // namespace

TEST_CASE("modes: TWAMP-Light is 14 octets and zeros, and is answered") {
    // A request shorter than its reply is answered only to those who are known: here each probes
    // the other.
    for (const std::uint32_t size_bytes : {14U, 20U, 43U, 44U, 500U}) {
        CAPTURE(size_bytes);
        Pair pair(twamp_light_plan(size_bytes),
                  plan_with({probe_to(near_address, ProbeKind::udp, Duration::from_s(10))}));
        bool has_other = false;
        pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
            const bool is_ours = is_forward(packet) && packet.octets.size() == size_bytes;
            for (std::size_t at = 14; is_ours && at < packet.octets.size(); ++at)
                has_other = has_other || packet.octets[at] != std::byte{0};
            return std::vector{one_way};
        };
        pair.run(Duration::from_ms(300));
        pair.check_all_answered(298);
        CHECK(!has_other);
        for (const Sample& sample : answers(pair.near)) {
            CHECK(sample.ssid == 0);
            CHECK(sample.packet_bytes == std::max(44U, size_bytes));
            CHECK(std::abs(sample.rtt_ns - 2 * one_way.ns) < 1'500);
        }
        CHECK(pair.near.core().core_counters().ssid_zero.read() == 0);
        CHECK(pair.near.core().core_counters().tlvs_malformed.read() == 0);
    }
}

TEST_CASE("modes: losses of TWAMP-Light have addresses once the reflector's count is not ours") {
    Pair pair(twamp_light_plan(44));
    std::uint64_t forward = 0;
    std::uint64_t reverse = 0;
    std::uint64_t packets = 0;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        if (is_forward(packet)) ++packets;
        const bool is_lost = packets > 20 && packets % 20 == (is_forward(packet) ? 1 : 11);
        if (is_lost) ++(is_forward(packet) ? forward : reverse);
        return is_lost ? std::vector<Duration>{} : std::vector{one_way};
    };
    pair.run(Duration::from_ms(985));
    pair.world.simulation.link = constant_link(one_way);
    pair.world.run_for(Duration::from_ms(300));
    pair.stop();
    CHECK(forward > 40);
    CHECK(reverse > 40);
    CHECK(pair.counters().lost_forward.read() == forward);
    CHECK(pair.counters().lost_reverse.read() == reverse);
}

// -- Reflectors of other kinds ------------------------------------------------------------------

TEST_CASE("modes: of a stateless reflector's losses the way is not known") {
    Plan far_side = plan_with({});
    far_side.reflector.is_stateful = false;
    Pair pair(near_plan(), std::move(far_side));
    std::uint64_t dropped = 0;
    bool has_own_number = false;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64& random) {
        const Octets& octets = packet.octets;
        has_own_number |= !is_forward(packet) &&
                          !std::equal(octets.begin(), octets.begin() + 4, octets.begin() + 24);
        if (random() % 50 != 0) return std::vector{one_way};
        ++dropped;
        return std::vector<Duration>{};
    };
    pair.run(Duration::from_s(2));
    pair.stop();
    CHECK(!has_own_number);
    CHECK(dropped > 50);
    CHECK(pair.counters().lost.read() == dropped);
    CHECK(pair.counters().lost_forward.read() == 0);
    CHECK(pair.counters().lost_reverse.read() == 0);
    CHECK(Node::only(pair.near.take_samples(), LATMON_KIND_EXCHANGE, LATMON_STATUS_LOST).size() ==
          dropped);
}

namespace {

// A link that makes the far node one that knows no session ids; `seen` gets each probe.
Link link_without_ssid(std::function<void(const Octets&)> seen) {
    return [seen = std::move(seen)](const Packet& packet, std::mt19937_64&) {
        if (is_forward(packet)) {
            seen(packet.octets);
        } else {
            const_cast<Packet&>(packet).octets.at(14) = std::byte{0};
            const_cast<Packet&>(packet).octets.at(15) = std::byte{0};
        }
        return std::vector{one_way};
    };
}

struct SeenProbes {
    std::uint64_t count = 0;
    std::uint64_t with_ssid = 0;
    std::uint64_t with_tlvs = 0;
    std::uint64_t of_other_size = 0;

    void take(const Octets& octets) {
        ++count;
        if (octets.at(14) != std::byte{0} || octets.at(15) != std::byte{0}) ++with_ssid;
        // The type of the first TLV: a base packet is followed by Extra Padding alone.
        if (octets.at(45) != std::byte{1}) ++with_tlvs;
        if (octets.size() != 100) ++of_other_size;
    }
};

}  // namespace

TEST_CASE("modes: a session id that comes back as 0 is what the operator said it is") {
    for (const OnSsidZero policy : {OnSsidZero::keep, OnSsidZero::base, OnSsidZero::stop}) {
        CAPTURE(int{static_cast<std::uint8_t>(policy)});
        Plan plan = near_plan();
        probe_of(plan).on_ssid_zero = policy;
        Pair pair(std::move(plan));
        SeenProbes seen;
        pair.world.simulation.link =
            link_without_ssid([&seen](const Octets& octets) { seen.take(octets); });
        pair.run(Duration::from_ms(500));
        CHECK(seen.of_other_size == 0);
        CHECK(pair.near.core().core_counters().ssid_zero.read() > 0);
        if (policy == OnSsidZero::stop) {
            CHECK(seen.count <= 2);
            CHECK(pair.counters().local_error.read() >= 496);
            for (const Sample& sample : Node::only(pair.near.take_samples(), LATMON_KIND_EXCHANGE,
                                                   LATMON_STATUS_LOCAL_ERROR)) {
                CHECK(sample.error == EPROTONOSUPPORT);
            }
            continue;
        }
        pair.check_all_answered(498);
        if (policy == OnSsidZero::base) {
            CHECK(seen.with_ssid <= 2);
            CHECK(seen.with_tlvs <= 2);
        } else {
            CHECK(seen.with_ssid == seen.count);
            CHECK(seen.with_tlvs == seen.count);
        }
    }
}

TEST_CASE("modes: a base packet's reply without a session id is nothing to count") {
    Plan plan = near_plan();
    probe_of(plan).on_ssid_zero = OnSsidZero::base;
    Pair pair(std::move(plan));
    pair.world.simulation.link = link_without_ssid([](const Octets&) {});
    pair.run(Duration::from_ms(500));
    CHECK(pair.near.core().core_counters().ssid_zero.read() <= 2);
}

TEST_CASE("modes: losses have their addresses in base packets too, whose session is another") {
    Plan plan = near_plan();
    probe_of(plan).on_ssid_zero = OnSsidZero::base;
    Pair pair(std::move(plan));
    const Link without_ssid = link_without_ssid([](const Octets&) {});
    std::uint64_t forward = 0;
    std::uint64_t reverse = 0;
    bool has_faults = false;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64& random) {
        if (!has_faults || random() % 30 != 0) return without_ssid(packet, random);
        ++(is_forward(packet) ? forward : reverse);
        return std::vector<Duration>{};
    };
    pair.run(Duration::from_ms(100));
    has_faults = true;
    pair.world.run_for(Duration::from_s(2));
    has_faults = false;
    pair.world.run_for(Duration::from_ms(300));
    pair.stop();
    CHECK(forward > 30);
    CHECK(pair.counters().lost_forward.read() == forward);
    CHECK(pair.counters().lost_reverse.read() == reverse);
}

// -- Formats of time ----------------------------------------------------------------------------

TEST_CASE("modes: stamps in PTP's format are on TAI and say the same") {
    for (const bool is_near_ptp : {false, true}) {
        for (const bool is_far_ptp : {false, true}) {
            CAPTURE(is_near_ptp);
            CAPTURE(is_far_ptp);
            Plan near_side = near_plan();
            Plan far_side = plan_with({});
            if (is_near_ptp) probe_of(near_side).timestamp_format = TimestampFormat::ptp;
            if (is_far_ptp) far_side.reflector.timestamp_format = TimestampFormat::ptp;
            Pair pair(std::move(near_side), std::move(far_side));
            LocalClock clock = synchronized_clock();
            clock.has_tai_offset = true;
            clock.tai_offset = Duration::from_s(37);
            pair.set_clocks(clock);
            std::uint64_t wrong = 0;
            pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
                const bool is_ptp = is_forward(packet) ? is_near_ptp : is_far_ptp;
                const auto sent = decode_sender(packet.octets);  // T1, and T3 of a reply.
                const WallTime now = pair.near.clock.kernel_now();
                const WallTime said =
                    is_ptp ? from_ptp(sent->t1, now, clock.tai_offset) : from_ntp(sent->t1, now);
                const bool is_right =
                    decode_error_estimate(sent->error_estimate).is_ptp == is_ptp &&
                    std::abs((said - now).ns) < 2'000;
                wrong += is_right ? 0U : 1U;
                return std::vector{one_way};
            };
            pair.run(Duration::from_ms(300));
            CHECK(wrong == 0);
            pair.check_all_answered(298);
            for (const Sample& sample : answers(pair.near)) {
                CHECK(std::abs(sample.t2_ns - sample.t1_ns - one_way.ns) < 2'000);
                CHECK(std::abs(sample.t4_ns - sample.t3_ns - one_way.ns) < 2'000);
                CHECK((sample.valid & LATMON_HAS_TURNAROUND) != 0);
                if (sample.sequence > 0 && sample.sequence < 290) {
                    CHECK(sample.t3_stamp == LATMON_STAMP_KERNEL);
                }
            }
        }
    }
}

TEST_CASE("modes: a reflector that does not know TAI answers in NTP's format") {
    Plan far_side = plan_with({});
    far_side.reflector.timestamp_format = TimestampFormat::ptp;
    Pair pair(near_plan(), std::move(far_side));
    pair.run(Duration::from_ms(100));
    pair.check_all_answered(98);
    for (const Sample& sample : answers(pair.near)) {
        CHECK(std::abs(sample.t2_ns - sample.t1_ns - one_way.ns) < 2'000);
    }
}

TEST_CASE("modes: who does not know TAI reads PTP's stamps for the turnaround alone") {
    Plan far_side = plan_with({});
    far_side.reflector.timestamp_format = TimestampFormat::ptp;
    Pair pair(near_plan(), std::move(far_side));
    LocalClock clock = synchronized_clock();
    clock.has_tai_offset = true;
    clock.tai_offset = Duration::from_s(37);
    pair.far.core().apply({.kind = CoreCommand::Kind::set_clock, .clock = clock});
    pair.run(Duration::from_ms(100));
    pair.check_all_answered(98);
    for (const Sample& sample : answers(pair.near)) {
        CHECK((sample.valid & (LATMON_HAS_T2 | LATMON_HAS_T3)) == 0);
        CHECK(sample.owd_class == LATMON_OWD_NONE);
        CHECK((sample.valid & LATMON_HAS_TURNAROUND) != 0);
        CHECK(std::abs(sample.rtt_ns - 2 * one_way.ns) < 1'500);
    }
}

// -- What one latmon tells the other ------------------------------------------------------------

TEST_CASE("modes: T3 is when the reply really left, and the far queue is not in the round trip") {
    for (const bool has_follow_up : {true, false}) {
        Plan plan = near_plan();
        if (!has_follow_up) probe_of(plan).tlvs = tlv_exchange_bit;
        Pair pair(std::move(plan));
        pair.far.ring.queue_delay = Duration::from_us(10);
        pair.run(Duration::from_ms(300));
        pair.check_all_answered(298);
        const std::vector<Sample> samples = answers(pair.near);
        std::size_t told = 0;
        for (const Sample& sample : samples) {
            if ((sample.valid & LATMON_HAS_PEER_TX) == 0) {
                CHECK(std::abs(sample.rtt_ns - 2 * one_way.ns - 10'000) < 500);
                continue;
            }
            ++told;
            CHECK(sample.t3_stamp == LATMON_STAMP_KERNEL);
            CHECK(sample.peer_tx_ns >= 10'000);
            CHECK(sample.peer_tx_ns < 10'500);
            CHECK(std::abs(sample.rtt_ns - 2 * one_way.ns) < 500);
            CHECK(std::abs(sample.t4_ns - sample.t3_ns - one_way.ns) < 500);
        }
        CHECK(told >= (has_follow_up ? samples.size() - 2 : 0));
        CHECK((has_follow_up || told == 0));
    }
}

namespace {

std::size_t count_of(const std::vector<Sample>& samples, latmon_owd_class_t owd_class) {
    std::size_t count = 0;
    for (const Sample& sample : samples)
        count += sample.owd_class == owd_class ? 1U : 0U;
    return count;
}

}  // namespace

TEST_CASE("modes: a far clock that steps makes what is known of it void") {
    Pair pair(near_plan());
    pair.run(Duration::from_ms(500));
    const PublishedCounter& resets = pair.near.core().core_counters().path_clock_resets;
    const std::uint64_t before = resets.read();
    static_cast<void>(answers(pair.near));
    pair.far.clock.wall_offset_ns += 3'000'000'000;
    pair.world.run_for(Duration::from_ms(500));
    CHECK(resets.read() == before + 1);
    const std::vector<Sample> samples = answers(pair.near);
    CHECK(count_of(samples, LATMON_OWD_RELATIVE) >= 29);
    CHECK(count_of(samples, LATMON_OWD_RELATIVE) <= 31);
    CHECK(samples.back().owd_class == LATMON_OWD_ESTIMATED);
    for (const Sample& sample : samples)
        CHECK(std::abs(sample.rtt_ns - 2 * one_way.ns) < 1'500);
}

TEST_CASE("modes: what went before a far clock's step does not bound what comes after") {
    // A step that is less than the round trip contradicts nothing: only the epoch tells.
    constexpr Duration forward = Duration::from_ms(1);
    constexpr Duration reverse = Duration::from_ms(19);
    for (const Duration step : {Duration::from_ms(5), Duration::from_ms(-5)}) {
        CAPTURE(step.ns);
        Pair pair(near_plan());
        pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
            return std::vector{is_forward(packet) == (step.ns > 0) ? forward : reverse};
        };
        pair.run(Duration::from_ms(500));
        const PublishedCounter& resets = pair.near.core().core_counters().path_clock_resets;
        const std::uint64_t before = resets.read();
        pair.far.clock.wall_offset_ns += step.ns;
        pair.world.run_for(Duration::from_ms(500));
        CHECK(resets.read() == before + 1);
        const std::int64_t truth_ns = step.ns > 0 ? forward.ns : reverse.ns;
        std::size_t missed = 0;
        std::size_t judged = 0;
        for (const Sample& sample : answers(pair.near)) {
            if (sample.owd_class != LATMON_OWD_ESTIMATED) continue;
            ++judged;
            const bool is_in =
                sample.owd_fwd_lo_ns - 500 <= truth_ns && truth_ns <= sample.owd_fwd_hi_ns + 500;
            missed += is_in ? 0U : 1U;
        }
        CHECK(judged > 800);
        CHECK(missed == 0);
    }
}

}  // namespace latmon::sim
