// SPDX-License-Identifier: Apache-2.0
//
// Two nodes that authenticate: what they measure is what they would without, and what is not
// sealed, sealed with another key, changed or sent again is refused and counted.
#include "scenario/two_nodes.hpp"
#include "wire/auth.hpp"

#include <doctest/doctest.h>
#include <cstdlib>
#include <span>
#include <string_view>

namespace latmon::sim {
namespace {

HmacKey key_from(std::string_view secret) {
    return HmacKey(std::as_bytes(std::span(secret)));
}

// Both ends authenticate with the first of the keys that the node is given.
Plan near_plan_with_key(std::int32_t key_index = 0) {
    Plan plan = near_plan();
    probe_of(plan).key_index = key_index;
    probe_of(plan).size_bytes = 200;
    return plan;
}
Plan far_plan_with_key() {
    Plan plan = plan_with({});
    plan.reflector.keys.resize(1);
    plan.reflector.keys[0].prefixes = {*parse_prefix("10.0.0.1/32")};
    plan.reflector_keys = {0};
    return plan;
}

}  // namespace

TEST_CASE("authentication: an authenticated path is measured as an open one is") {
    for (const bool has_claims : {false, true}) {
        std::vector<std::vector<int>> classes;
        for (const bool is_authenticated : {false, true}) {
            Plan plan = is_authenticated ? near_plan_with_key() : near_plan();
            probe_of(plan).trust_clock = has_claims;
            Pair pair(std::move(plan), is_authenticated ? far_plan_with_key() : plan_with({}),
                      {key_from("a secret")});
            bool has_sealed = true;
            pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
                has_sealed = has_sealed && verify_auth(packet.octets, key_from("a secret"));
                return std::vector{one_way};
            };
            if (has_claims) pair.set_clocks(synchronized_clock());
            pair.run(Duration::from_ms(500));
            pair.check_all_answered(498);
            CHECK(has_sealed == is_authenticated);
            CHECK(pair.reflected(ReflectReason::unauthenticated) == 0);
            CHECK(pair.near.core().core_counters().unauthenticated.read() == 0);
            CHECK(pair.near.core().core_counters().tlvs_failed_integrity.read() == 0);
            classes.emplace_back();
            for (const Sample& sample : answers(pair.near)) {
                classes.back().push_back(sample.owd_class);
                CHECK(std::abs(sample.rtt_ns - 2 * one_way.ns) < 1'000);
                CHECK(sample.packet_bytes == (is_authenticated ? 200 : 100));
                if (sample.sequence > 0 && sample.sequence < 490) {
                    CHECK(sample.t3_stamp == LATMON_STAMP_KERNEL);  // The follow-up verified.
                }
            }
            CHECK(classes.back().back() ==
                  (has_claims ? LATMON_OWD_BOUNDED : LATMON_OWD_ESTIMATED));
        }
        CHECK(classes[0] == classes[1]);
    }
}

TEST_CASE("authentication: with another key nothing is answered, and all is counted") {
    Pair pair(near_plan_with_key(1), far_plan_with_key(),
              {key_from("a secret"), key_from("another")});
    pair.run(Duration::from_ms(300));
    CHECK(pair.counters().answered.read() == 0);
    CHECK(pair.counters().sent.read() >= 298);
    CHECK(pair.reflected(ReflectReason::reflected) == 0);
    CHECK(pair.reflected(ReflectReason::unauthenticated) >= pair.counters().sent.read() - 1);
}

TEST_CASE("authentication: an open probe from where keys are demanded is refused") {
    Pair pair(near_plan(), far_plan_with_key(), {key_from("a secret")});
    pair.run(Duration::from_ms(300));
    CHECK(pair.counters().answered.read() == 0);
    CHECK(pair.reflected(ReflectReason::reflected) == 0);
    CHECK(pair.reflected(ReflectReason::unauthenticated) >= 297);
}

TEST_CASE("authentication: a reply that is not sealed with our key is not believed") {
    Pair pair(near_plan_with_key(), far_plan_with_key(), {key_from("a secret")});
    // One bit of every octet of the base packet in turn, MBZ and HMAC too.
    std::uint64_t replies = 0;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        if (!is_forward(packet)) {
            const_cast<Packet&>(packet).octets.at(replies++ % stamp_auth_base_bytes) ^=
                std::byte{0x10};
        }
        return std::vector{one_way};
    };
    pair.run(Duration::from_ms(300));
    CHECK(replies >= 297);
    CHECK(pair.counters().answered.read() == 0);
    CHECK(pair.counters().invalid.read() >= replies - 1);
    CHECK(pair.near.core().core_counters().unauthenticated.read() ==
          pair.counters().invalid.read());
}

TEST_CASE("authentication: TLVs of an authenticated reply that were changed are not used") {
    Pair pair(near_plan_with_key(), far_plan_with_key(), {key_from("a secret")});
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        if (!is_forward(packet)) {
            // The dwell that our exchange TLV tells, its value's octets 8-11.
            const_cast<Packet&>(packet).octets.at(stamp_auth_base_bytes + 4 + 8) ^= std::byte{1};
        }
        return std::vector{one_way};
    };
    pair.run(Duration::from_ms(300));
    pair.check_all_answered(298);
    CHECK(pair.near.core().core_counters().tlvs_failed_integrity.read() >= 298);
    for (const Sample& sample : answers(pair.near)) {
        CHECK((sample.valid & (LATMON_HAS_PEER_RX | LATMON_HAS_PEER_TX)) == 0);
        CHECK(sample.t2_stamp == LATMON_STAMP_PEER);
    }
}

TEST_CASE("authentication: an authenticated packet that comes again is refused, soon or late") {
    for (const Duration later :
         {Duration::from_us(10), Duration::from_ms(300), Duration::from_ms(1'500)}) {
        CAPTURE(later.ns);
        Pair pair(near_plan_with_key(), far_plan_with_key(), {key_from("a secret")});
        std::uint64_t packets = 0;
        std::uint64_t replayed = 0;
        pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
            if (!is_forward(packet) || ++packets % 10 != 0) return std::vector{one_way};
            ++replayed;
            return std::vector{one_way, one_way + later};
        };
        pair.run(Duration::from_s(1));
        pair.stop();
        pair.world.run_for(Duration::from_s(2));
        CHECK(replayed >= 99);
        CHECK(pair.reflected(ReflectReason::replayed) == replayed);
        CHECK(pair.reflected(ReflectReason::reflected) == pair.counters().sent.read());
        CHECK(pair.counters().duplicate.read() == 0);
        pair.check_all_answered(998);
    }
}

TEST_CASE("authentication: authenticated probes that overtake each other are all answered") {
    Pair pair(near_plan_with_key(), far_plan_with_key(), {key_from("a secret")});
    std::uint64_t packets = 0;
    pair.world.simulation.link = [&](const Packet& packet, std::mt19937_64&) {
        const bool is_slow = is_forward(packet) && ++packets % 10 == 0;
        return std::vector{is_slow ? Duration::from_ms(20) : one_way};
    };
    pair.run(Duration::from_s(1));
    pair.stop();
    pair.check_all_answered(998);
    CHECK(pair.counters().reordered.read() >= 98);
    CHECK(pair.reflected(ReflectReason::replayed) == 0);
}

}  // namespace latmon::sim
