// SPDX-License-Identifier: Apache-2.0
//
// Which descriptors are believed, and what becomes of the others.
#include "probe/peer_descriptors.hpp"

#include <doctest/doctest.h>
#include <array>

namespace latmon {
namespace {

constexpr Instant start{1'000'000'000'000};
constexpr std::array<std::uint16_t, 1> own_ports{8001};

SessionKey session_key(const char* address, std::uint16_t ssid = 3) {
    return {.peer = *parse_endpoint(address, 40'000), .ssid = ssid, .listener = 0};
}

struct Bench {
    explicit Bench(bool allows_any = false, std::uint32_t queue_size = 4)
        : policy(policy_with(allows_any)),
          allow_list(policy, 1, HashKey{1, 2}),
          rate_limiter(policy, HashKey{1, 2}),
          queue(queue_size),
          peers(counters, rules, &queue, &series) {
        allow_list.set_target_address(0, parse_endpoint("192.0.2.1", 0)->address);
    }

    static ReflectorConfig policy_with(bool allows_any) {
        ReflectorConfig config;
        config.allow = {*parse_prefix("10.0.0.0/8")};
        config.allow_any = allows_any;
        return config;
    }
    void take(std::uint32_t session, std::uint32_t hash, Duration after,
              const char* address = "10.0.0.1") {
        take_named("web1", session, hash, after, address);
    }
    void take_named(const char* name, std::uint32_t session, std::uint32_t hash, Duration after,
                    const char* address = "10.0.0.1") {
        Descriptor descriptor;
        CHECK(descriptor.try_set_name(name));
        CHECK(descriptor.try_add_tag("site:home"));
        CHECK(descriptor.try_add_tag("rack:2"));
        descriptor.hash = hash;
        peers.scratch() = descriptor;
        peers.take(session, session_key(address), start + after);
    }
    std::uint64_t count(DescriptorFate fate) { return counters.read(fate); }

    ReflectorConfig policy;
    AllowList allow_list;
    RateLimiter rate_limiter;
    ReflectorKeys keys;
    AdmissionRules rules{.allow_list = allow_list,
                         .rate_limiter = rate_limiter,
                         .own_ports = own_ports,
                         .policy = policy,
                         .keys = keys};
    CoreCounters counters;
    PeerQueue queue;
    PeerSeries series{100, 2};
    PeerDescriptors peers;
};

}  // namespace

TEST_CASE("peer_descriptors: the first of a session is accepted and handed on whole") {
    Bench bench;
    bench.take(5, 1, {});
    CHECK(bench.count(DescriptorFate::accepted) == 1);
    std::array<PeerDescriptor, 4> taken;
    REQUIRE(bench.queue.pop_batch(taken) == 1);
    CHECK(taken[0].source == session_key("10.0.0.1").peer);
    CHECK(taken[0].ssid == 3);
    CHECK(taken[0].descriptor.name() == "web1");
}

TEST_CASE("peer_descriptors: the same again is nothing new, however often it comes") {
    Bench bench;
    for (const std::int64_t after_s : {0, 1, 60, 120})
        bench.take(5, 1, Duration::from_s(after_s));
    CHECK(bench.count(DescriptorFate::accepted) == 1);
    CHECK(bench.count(DescriptorFate::unchanged) == 3);
    CHECK(bench.queue.size() == 1);
}

TEST_CASE("peer_descriptors: a change counts from the last one accepted, per session") {
    Bench bench;
    bench.take(5, 1, {});
    bench.take(5, 2, Duration::from_s(60) - Duration{1});
    CHECK(bench.count(DescriptorFate::limited) == 1);
    bench.take(6, 2, Duration::from_s(60) - Duration{1});
    CHECK(bench.count(DescriptorFate::accepted) == 2);
    bench.take(5, 2, Duration::from_s(60));
    CHECK(bench.count(DescriptorFate::accepted) == 3);
    bench.take(5, 1, Duration::from_s(119));
    CHECK(bench.count(DescriptorFate::limited) == 2);
}

TEST_CASE("peer_descriptors: a new session in the same place may say at once who it is") {
    Bench bench;
    bench.take(5, 1, {});
    bench.peers.forget(5);
    bench.take(5, 2, Duration::from_s(1));
    CHECK(bench.count(DescriptorFate::accepted) == 2);
}

TEST_CASE("peer_descriptors: where anybody is allowed, targets, loopback and keys are believed") {
    Bench bench(true);
    const HmacKey key(std::array<std::byte, 16>{});
    bench.take(0, 1, {}, "10.0.0.1");
    CHECK(bench.count(DescriptorFate::not_allowed) == 1);
    bench.take(1, 1, {}, "192.0.2.1");
    bench.take(2, 1, {}, "127.0.0.1");
    CHECK(bench.count(DescriptorFate::accepted) == 2);
    const std::array prefixes{*parse_prefix("10.0.0.1/32")};
    bench.keys.add(prefixes, &key);
    bench.take(0, 1, {}, "10.0.0.1");
    CHECK(bench.count(DescriptorFate::accepted) == 3);
    CHECK(bench.count(DescriptorFate::not_allowed) == 1);
}

TEST_CASE("peer_descriptors: one that finds the queue full is taken the next time") {
    Bench bench(false, 1);
    bench.take(0, 1, {});
    bench.take(1, 1, {});
    CHECK(bench.count(DescriptorFate::accepted) == 1);
    CHECK(bench.count(DescriptorFate::dropped) == 1);
    std::array<PeerDescriptor, 1> taken;
    CHECK(bench.queue.pop_batch(taken) == 1);
    bench.take(1, 1, Duration::from_s(1));
    CHECK(bench.count(DescriptorFate::accepted) == 2);
}

TEST_CASE("peer_descriptors: a session that is believed has the series of its name and tags") {
    Bench bench;
    CHECK_FALSE(bench.peers.series_of(5));
    bench.take(5, 1, {});
    REQUIRE(bench.peers.series_of(5) == 100);
    CHECK_FALSE(bench.peers.series_of(6));
    const std::optional<PeerLabels> labels = bench.series.find(100);
    REQUIRE(labels.has_value());
    CHECK(labels->protocol == LATMON_PROTOCOL_UDP);
    CHECK(labels->name == "web1");
    REQUIRE(labels->tags.size() == 2);
    CHECK(labels->tags[0] == "site:home");
    CHECK(labels->tags[1] == "rack:2");
    bench.take(6, 1, {});
    CHECK(bench.peers.series_of(6) == 100);
    CHECK(bench.series.count() == 1);
}

TEST_CASE("peer_descriptors: the series changes with an accepted name, and with no other") {
    Bench bench;
    bench.take_named("web1", 5, 1, {});
    bench.take_named("web2", 5, 2, Duration::from_s(1));  // Too soon.
    CHECK(bench.peers.series_of(5) == 100);
    bench.peers.note_invalid();
    CHECK(bench.peers.series_of(5) == 100);
    bench.take_named("web2", 5, 2, Duration::from_s(60));
    CHECK(bench.peers.series_of(5) == 101);
    bench.peers.forget(5);
    CHECK_FALSE(bench.peers.series_of(5));
}

TEST_CASE("peer_descriptors: who finds no place for a series has none, and is named in the log") {
    Bench bench;
    bench.take_named("web1", 0, 1, {});
    bench.take_named("web2", 1, 2, {});
    bench.take_named("web3", 2, 3, {});
    CHECK(bench.count(DescriptorFate::accepted) == 3);
    CHECK(bench.queue.size() == 3);
    CHECK_FALSE(bench.peers.series_of(2));
    CHECK(bench.series.full().read() == 1);
    bench.take_named("web3", 0, 3, Duration::from_s(60));  // Not web1 any more.
    CHECK_FALSE(bench.peers.series_of(0));
}

TEST_CASE("peer_descriptors: without a place for series nobody has one") {
    Bench bench;
    PeerDescriptors peers(bench.counters, bench.rules, nullptr, nullptr);
    CHECK(peers.scratch().try_set_name("web1"));
    peers.take(5, session_key("10.0.0.1"), start);
    CHECK(bench.count(DescriptorFate::accepted) == 1);
    CHECK_FALSE(peers.series_of(5));
}

TEST_CASE("peer_descriptors: one that cannot be read is counted") {
    Bench bench;
    bench.peers.note_invalid();
    CHECK(bench.count(DescriptorFate::invalid) == 1);
}

}  // namespace latmon
