// SPDX-License-Identifier: Apache-2.0
//
// A node tells its name and tags to the latmon that it probes: when, how often, what is believed of
// it, and that nothing that is measured knows of it.
#include "base/address.hpp"
#include "scenario/two_nodes.hpp"
#include "wire/auth.hpp"
#include "wire/tlv.hpp"

#include <doctest/doctest.h>
#include <cerrno>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace latmon::sim {
namespace {

HmacKey key_from(std::string_view secret) {
    return HmacKey(std::as_bytes(std::span(secret)));
}

Plan telling_plan(Duration interval = Duration::from_ms(1)) {
    ProbePlan probe = probe_to(far_address, ProbeKind::udp, interval);
    probe.max_lost = 0;
    probe.sends_descriptor = true;
    probe.node_name = "web1";
    probe.tags = {"site:home", "rack:2"};
    return plan_with({probe});
}

// Where the descriptor TLV of a packet begins, be it a request or a reply.
std::optional<std::size_t> descriptor_at(const Packet& packet, std::size_t base_bytes = 44) {
    if (packet.octets.size() < base_bytes) return std::nullopt;
    TlvReader reader(std::span(packet.octets).subspan(base_bytes));
    while (const std::optional<TlvView> tlv = reader.next()) {
        if (tlv->is(TlvType::descriptor)) return base_bytes + tlv->at;
    }
    return std::nullopt;
}

// Of the TLV at `at`: octets of its value.
std::uint32_t number_at(const Packet& packet, std::size_t at) {
    std::uint32_t number = 0;
    for (std::size_t octet = 0; octet < 4; ++octet) {
        number = number << 8U | std::to_integer<std::uint32_t>(packet.octets.at(at + octet));
    }
    return number;
}
constexpr std::size_t epoch_offset = 4 + 16;
constexpr std::size_t hash_offset = 4 + 20;

struct Teller : Pair {
    explicit Teller(Plan near_side = telling_plan(), Plan far_side = plan_with({}),
                    const std::vector<HmacKey>& keys = {})
        : Pair(std::move(near_side), std::move(far_side), keys) {}

    [[nodiscard]] std::uint64_t told() { return counters().descriptors.read(); }
    [[nodiscard]] std::uint64_t fate(DescriptorFate fate) {
        return far.core().core_counters().read(fate);
    }
    // Every probe has one sample, none is a descriptor's, and every packet was a probe or one of
    // those.
    void check_accounts(std::uint64_t lost_reflections = 0) {
        stop();
        CHECK(counters().sent.read() == counters().answered.read() + counters().lost.read());
        std::uint64_t fates = 0;
        for (const Sample& sample : near.take_samples())
            fates += sample.kind == LATMON_KIND_EXCHANGE ? 1 : 0;
        CHECK(fates == counters().sent.read());
        const std::uint64_t reflections =
            Node::only(far.take_samples(), LATMON_KIND_REFLECTION, LATMON_STATUS_OK).size();
        CHECK(reflections + told() == reflected(ReflectReason::reflected) + lost_reflections);
    }
};

}  // namespace

TEST_CASE("descriptor: the peer gets the name with the second packet, and once") {
    Teller pair;
    std::vector<std::uint32_t> sequences;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        if (is_forward(packet) && descriptor_at(packet)) sequences.push_back(number_at(packet, 0));
        return std::vector{one_way};
    };
    pair.run(Duration::from_s(2));
    CHECK(sequences == std::vector<std::uint32_t>{1});
    const std::vector<PeerDescriptor> peers = pair.far.take_peers();
    REQUIRE(peers.size() == 1);
    CHECK(to_string(peers[0].source).starts_with("10.0.0.1:"));
    CHECK(peers[0].ssid == 1);
    CHECK(peers[0].descriptor.name() == "web1");
    REQUIRE(peers[0].descriptor.tag_count() == 2);
    CHECK(peers[0].descriptor.tag(0) == "site:home");
    CHECK(peers[0].descriptor.tag(1) == "rack:2");
    CHECK(peers[0].descriptor.boot_nonce == 7);
    CHECK(pair.fate(DescriptorFate::accepted) == 1);
    CHECK(pair.told() == 1);
    pair.check_all_answered(1'997);
    pair.check_accounts();
}

TEST_CASE("descriptor: reflections are the peer's by name as soon as it has told it") {
    Teller pair;
    pair.run(Duration::from_s(1));
    const PeerSeries& series = pair.far.peer_series();
    REQUIRE(series.count() == 1);
    const std::optional<PeerLabels> labels = series.find(series.first_id());
    REQUIRE(labels.has_value());
    CHECK(labels->protocol == LATMON_PROTOCOL_UDP);
    CHECK(labels->name == "web1");
    REQUIRE(labels->tags.size() == 2);
    CHECK(labels->tags[0] == "site:home");
    CHECK(labels->tags[1] == "rack:2");
    const std::vector<Sample> samples =
        Node::only(pair.far.take_samples(), LATMON_KIND_REFLECTION, LATMON_STATUS_OK);
    REQUIRE(samples.size() > 900);
    // The name comes with the second packet.
    CHECK(samples[0].series_id == udp_reflection_series(plan_with({})));
    std::uint64_t named = 0;
    for (const Sample& sample : samples)
        named += sample.series_id == series.first_id() ? 1U : 0U;
    CHECK(named == samples.size() - 1);
}

TEST_CASE("descriptor: two sessions of one peer have one series") {
    Plan plan = telling_plan();
    std::vector<ProbePlan> probes(2, probe_of(plan));
    World world;
    world.add(plan_with(std::move(probes)), near_address);
    Node& far = world.add(plan_with({}), far_address);
    world.start();
    world.run_for(Duration::from_s(1));
    CHECK(far.core().core_counters().read(DescriptorFate::accepted) == 2);
    CHECK(far.peer_series().count() == 1);
}

TEST_CASE("descriptor: it is told again every minute, and when the clock has another epoch") {
    Teller pair(telling_plan(Duration::from_ms(20)));
    std::vector<std::uint32_t> epochs;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        const std::optional<std::size_t> at = descriptor_at(packet);
        if (is_forward(packet) && at) epochs.push_back(number_at(packet, *at + epoch_offset));
        return std::vector{one_way};
    };
    pair.run(Duration::from_ms(59'900));
    CHECK(epochs.size() == 1);
    pair.world.run_for(Duration::from_s(2));
    CHECK(epochs.size() == 2);
    pair.near.clock.wall_offset_ns += 3'000'000'000;
    pair.world.run_for(Duration::from_s(2));
    REQUIRE(epochs.size() == 3);
    CHECK(epochs[0] == epochs[1]);
    CHECK(epochs[1] != epochs[2]);
    // It is the same name: there is nothing to tell anybody.
    CHECK(pair.far.take_peers().size() == 1);
    CHECK(pair.fate(DescriptorFate::unchanged) == 2);
    pair.check_accounts();
}

TEST_CASE("descriptor: a clock that is never at rest is told of once a second") {
    Teller pair;
    pair.world.start();
    for (int step = 0; step < 500; ++step) {
        pair.near.clock.wall_offset_ns += 5'000'000;
        pair.world.run_for(Duration::from_ms(10));
    }
    CHECK(pair.told() == 5);
}

TEST_CASE("descriptor: an answer that waits for its follow-up still gets it") {
    Teller pair(telling_plan(Duration::from_ms(20)));
    pair.run(Duration::from_s(61));
    CHECK(pair.told() == 2);
    const std::vector<Sample> samples = answers(pair.near);
    REQUIRE(samples.size() > 3'000);
    std::uint64_t exact = 0;
    for (const Sample& sample : samples)
        exact += sample.t3_stamp == LATMON_STAMP_KERNEL ? 1U : 0U;
    // All but the first, before which nobody knew that there would be any. The last still waits.
    CHECK(samples[0].t3_stamp == LATMON_STAMP_USER);
    CHECK(exact == samples.size() - 1);
}

TEST_CASE("descriptor: a slot that is due when the reply comes is not put off") {
    Teller pair;
    pair.world.simulation.link = constant_link(Duration::from_us(400));
    pair.world.start();
    for (int step = 0; step < 20; ++step) {
        pair.world.run_for(Duration::from_us(1'003'000 + step * 37));
        pair.near.clock.wall_offset_ns += 5'000'000;
        // It finds both, the reply and the slot, when it gets to run again.
        pair.near.frozen_until_ns = pair.world.simulation.now_ns() + 1'000'000;
    }
    CHECK(pair.told() == 20);
    CHECK(pair.counters().local_error.read() == 0);
    CHECK(pair.counters().lost.read() == 0);
}

TEST_CASE("descriptor: over an authenticated path it is sealed, and believed only then") {
    for (const bool is_forged : {false, true}) {
        Plan near_side = telling_plan();
        probe_of(near_side).key_index = 0;
        probe_of(near_side).size_bytes = 200;
        Plan far_side = plan_with({});
        far_side.reflector.keys.resize(1);
        far_side.reflector.keys[0].prefixes = {*parse_prefix("10.0.0.1/32")};
        far_side.reflector_keys = {0};
        Teller pair(std::move(near_side), std::move(far_side), {key_from("a secret")});
        pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
            const std::optional<std::size_t> at = descriptor_at(packet, stamp_auth_base_bytes);
            if (is_forged && is_forward(packet) && at) {
                const_cast<Packet&>(packet).octets[*at + hash_offset] ^= std::byte{1};
            }
            return std::vector{one_way};
        };
        pair.run(Duration::from_s(1));
        CHECK(pair.told() == 1);
        const std::vector<PeerDescriptor> peers = pair.far.take_peers();
        CHECK(peers.size() == (is_forged ? 0 : 1));
        if (!is_forged) CHECK(peers[0].descriptor.name() == "web1");
        CHECK(pair.fate(DescriptorFate::accepted) == (is_forged ? 0 : 1));
        if (!is_forged) {
            CHECK(pair.near.core().core_counters().tlvs_failed_integrity.read() == 0);
            pair.check_all_answered(997);
            pair.check_accounts();
        }
    }
}

TEST_CASE("descriptor: a session may change its name once a minute") {
    Teller pair(telling_plan(Duration::from_ms(20)));
    unsigned change = 0;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        const std::optional<std::size_t> at = descriptor_at(packet);
        if (is_forward(packet) && at) {
            const_cast<Packet&>(packet).octets[*at + hash_offset] ^= std::byte(change);
        }
        return std::vector{one_way};
    };
    const auto tell_anew = [&] {
        ++change;
        pair.near.clock.wall_offset_ns += 5'000'000;
        pair.world.run_for(Duration::from_s(2));
    };
    pair.run(Duration::from_s(1));
    CHECK(pair.fate(DescriptorFate::accepted) == 1);
    tell_anew();
    tell_anew();
    CHECK(pair.fate(DescriptorFate::accepted) == 1);
    CHECK(pair.fate(DescriptorFate::limited) == 2);
    pair.world.run_for(Duration::from_s(57));
    tell_anew();
    CHECK(pair.fate(DescriptorFate::accepted) == 2);
    CHECK(pair.fate(DescriptorFate::limited) == 2);
    CHECK(pair.far.take_peers().size() == 2);
}

TEST_CASE("descriptor: one that breaks the rules is counted, answered and no sample") {
    Teller pair;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        const std::optional<std::size_t> at = descriptor_at(packet);
        // The first letter of the name, behind the header of its item, becomes a line feed.
        if (is_forward(packet) && at) {
            const_cast<Packet&>(packet).octets[*at + 4 + 24 + 2] = std::byte{10};
        }
        return std::vector{one_way};
    };
    pair.run(Duration::from_s(1));
    CHECK(pair.told() == 1);
    CHECK(pair.fate(DescriptorFate::invalid) == 1);
    CHECK(pair.far.take_peers().empty());
    pair.check_all_answered(997);
    pair.check_accounts();
}

TEST_CASE("descriptor: where anybody may be reflected, only those count whom the operator named") {
    for (const bool is_target : {false, true}) {
        Plan far_side = plan_with(
            is_target ? std::vector{probe_to(near_address, ProbeKind::udp, Duration::from_ms(10))}
                      : std::vector<ProbePlan>{});
        far_side.reflector.allow_any = true;
        Teller pair(telling_plan(), std::move(far_side));
        pair.run(Duration::from_s(1));
        CHECK(pair.fate(DescriptorFate::accepted) == (is_target ? 1 : 0));
        CHECK(pair.fate(DescriptorFate::not_allowed) == (is_target ? 0 : 1));
    }
}

TEST_CASE("descriptor: what finds the queue full is counted, and taken the next time") {
    Plan plan = telling_plan();
    std::vector<ProbePlan> probes(6, probe_of(plan));
    World world;
    Node& near = world.add(plan_with(std::move(probes)), near_address);
    Node& far = world.add(plan_with({}), far_address);
    world.start();
    world.run_for(Duration::from_s(1));
    const CoreCounters& counters = far.core().core_counters();
    CHECK(counters.read(DescriptorFate::accepted) == 4);
    CHECK(counters.read(DescriptorFate::dropped) == 2);
    CHECK(far.take_peers().size() == 4);
    near.clock.wall_offset_ns += 5'000'000;
    world.run_for(Duration::from_s(2));
    CHECK(counters.read(DescriptorFate::accepted) == 6);
    CHECK(counters.read(DescriptorFate::unchanged) == 4);
    CHECK(far.take_peers().size() == 2);
}

TEST_CASE("descriptor: one that is lost is no loss, and shifts the address of none") {
    for (const bool is_lost_forward : {true, false}) {
        Teller pair;
        std::uint64_t dropped = 0;
        std::uint64_t dropped_descriptors = 0;
        pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64& random) {
            const bool is_this_way = is_forward(packet) == is_lost_forward;
            if (is_this_way && descriptor_at(packet)) {
                ++dropped_descriptors;
                return std::vector<Duration>{};
            }
            if (is_this_way && std::bernoulli_distribution(0.2)(random)) {
                ++dropped;
                return std::vector<Duration>{};
            }
            return std::vector{one_way};
        };
        pair.world.start();
        for (int step = 0; step < 10; ++step) {
            pair.near.clock.wall_offset_ns += 5'000'000;
            pair.world.run_for(Duration::from_ms(1'100));
        }
        // What comes last tells of the losses before it.
        pair.world.simulation.link = constant_link(one_way);
        pair.world.run_for(Duration::from_ms(300));
        CHECK(dropped > 1'000);
        CHECK(dropped_descriptors >= 9);
        pair.check_accounts(is_lost_forward ? dropped_descriptors : 0);
        const ProbeCounters& counters = pair.counters();
        CHECK(counters.lost.read() == dropped);
        CHECK(counters.lost_forward.read() == (is_lost_forward ? dropped : 0));
        CHECK(counters.lost_reverse.read() == (is_lost_forward ? 0 : dropped));
        CHECK(counters.invalid.read() == 0);
    }
}

TEST_CASE("descriptor: one that comes late or twice leaves no trace") {
    Teller pair;
    std::uint64_t replies = 0;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        if (is_forward(packet) || !descriptor_at(packet)) return std::vector{one_way};
        if (++replies % 2 == 0) return std::vector{Duration::from_ms(150)};
        return std::vector{one_way, one_way + one_way};
    };
    pair.world.start();
    for (int step = 0; step < 6; ++step) {
        pair.near.clock.wall_offset_ns += 5'000'000;
        pair.world.run_for(Duration::from_ms(1'100));
    }
    CHECK(replies >= 5);
    pair.check_accounts();
    CHECK(pair.counters().lost.read() == 0);
    CHECK(pair.counters().late.read() == 0);
    CHECK(pair.counters().duplicate.read() == 0);
    CHECK(pair.counters().invalid.read() == 0);
}

TEST_CASE("descriptor: one that this host does not send is tried again a second later") {
    Teller pair;
    std::uint64_t refused = 0;
    pair.near.ring.refuse_send = [&](const Octets& octets) {
        const bool is_refused = octets.size() != 100 && refused < 2;
        refused += is_refused ? 1U : 0U;
        return is_refused ? EPERM : 0;
    };
    pair.run(Duration::from_ms(900));
    CHECK(refused == 1);
    CHECK(pair.told() == 0);
    pair.world.run_for(Duration::from_s(2));
    CHECK(refused == 2);
    CHECK(pair.told() == 1);
    CHECK(pair.far.take_peers().size() == 1);
    CHECK(pair.counters().local_error.read() == 0);
    CHECK(pair.counters().lost.read() == 0);
    pair.check_accounts();
}

TEST_CASE("descriptor: a target that moved is told at its new address") {
    Teller pair;
    Node& farther = pair.world.add(plan_with({}), "10.0.0.3");
    pair.run(Duration::from_s(2));
    pair.near.core().apply({.kind = CoreCommand::Kind::set_address,
                            .index = 0,
                            .address = parse_endpoint("10.0.0.3", 0)->address});
    pair.world.run_for(Duration::from_ms(100));
    CHECK(farther.take_peers().size() == 1);
    CHECK(pair.told() == 2);
}

TEST_CASE("descriptor: who has not shown to be a latmon, or is not to be told, hears nothing") {
    for (const bool has_tlvs : {false, true}) {
        Plan plan = telling_plan();
        probe_of(plan).tlvs = has_tlvs ? tlvs_default : 0;
        probe_of(plan).sends_descriptor = !has_tlvs;
        Teller pair(std::move(plan));
        pair.run(Duration::from_s(1));
        CHECK(pair.counters().answered.read() > 990);
        CHECK(pair.told() == 0);
        CHECK(pair.far.take_peers().empty());
    }
}

TEST_CASE("descriptor: who sends no more probes tells no more either") {
    Teller pair;
    pair.world.simulation.link = constant_link(Duration::from_ms(20));
    pair.run(Duration::from_ms(10));
    pair.stop();
    CHECK(pair.counters().answered.read() > 5);
    CHECK(pair.told() == 0);
}

}  // namespace latmon::sim
