// SPDX-License-Identifier: Apache-2.0
//
// See sim_node.hpp.
#include "support/sim_node.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace latmon::sim {
namespace {

constexpr std::uint32_t queue_capacity = 1U << 17U;
constexpr std::uint32_t peers_capacity = 4;
constexpr std::uint32_t first_peer_series = 1'000'000;  // Far behind those of any plan.
constexpr std::uint32_t all_kinds = kind_bit(LATMON_KIND_EXCHANGE) | kind_bit(LATMON_KIND_CONNECT) |
                                    kind_bit(LATMON_KIND_REFLECTION) | kind_bit(LATMON_KIND_NODE);

Endpoint endpoint(const std::string& address, std::uint16_t port) {
    const std::optional<Endpoint> parsed = parse_endpoint(address, port);
    LATMON_ASSERT(parsed.has_value());
    return *parsed;
}

}  // namespace

Node::Node(World& world, Plan plan, const std::string& address, std::vector<HmacKey> keys)
    : clock(world.simulation),
      ring(world.simulation, world.directory, endpoint(address, 0), clock),
      plan_(std::move(plan)),
      queue_(queue_capacity, all_kinds),
      peers_(peers_capacity),
      peer_series_(first_peer_series, peers_capacity) {
    const CoreOptions options{.consumers = {SampleConsumer(&queue_)},
                              .keys = std::move(keys),
                              .boot_nonce = 7,
                              .hash_key = {1, 2},
                              .timers_max = 10'000,
                              .peers = &peers_,
                              .peer_series = &peer_series_,
                              .spare_probes = 64};
    core_ = std::make_unique<Core>(plan_, options, ring, clock);
    const Result<void> opened = core_->open_listeners(plan_.listeners);
    LATMON_ASSERT(opened.has_value());
}

std::vector<Sample> Node::take_samples() {
    std::vector<Sample> samples;
    std::array<Sample, 256> batch;
    while (const std::uint32_t count = queue_.queue.pop_batch(batch)) {
        samples.insert(samples.end(), batch.begin(), batch.begin() + count);
    }
    LATMON_ASSERT(queue_.dropped.read() == 0);  // The scenario is too long for the queue.
    return samples;
}

std::vector<PeerDescriptor> Node::take_peers() {
    std::vector<PeerDescriptor> peers(peers_capacity);
    peers.resize(peers_.pop_batch(peers));
    return peers;
}

std::vector<Sample> Node::only(const std::vector<Sample>& samples, latmon_kind_t kind,
                               latmon_status_t status) {
    std::vector<Sample> chosen;
    std::copy_if(
        samples.begin(), samples.end(), std::back_inserter(chosen),
        [&](const Sample& sample) { return sample.kind == kind && sample.status == status; });
    return chosen;
}

Node& World::add(Plan plan, const std::string& address, std::vector<HmacKey> keys) {
    for (ListenerPlan& listener : plan.listeners) {
        listener.endpoint = endpoint(address, listener.endpoint.port);
    }
    nodes_.push_back(std::make_unique<Node>(*this, std::move(plan), address, std::move(keys)));
    return *nodes_.back();
}

void World::start() {
    for (const std::unique_ptr<Node>& node : nodes_)
        node->core().open_paths();
    for (const std::unique_ptr<Node>& node : nodes_) {
        node->core().start(node->clock.now() + Duration::from_ms(1));
    }
}

void World::run_for(Duration duration) {
    const std::int64_t end_ns = simulation.now_ns() + duration.ns;
    while (simulation.now_ns() < end_ns) {
        simulation.run_due();
        bool has_turned = false;
        std::int64_t next_ns = std::min(simulation.next_event_ns(), end_ns);
        for (const std::unique_ptr<Node>& node : nodes_) {
            const std::int64_t due_ns =
                std::max(node->ring.has_ready() ? simulation.now_ns() : node->ring.wake_at().ns,
                         node->frozen_until_ns);
            if (due_ns <= simulation.now_ns()) {
                node->core().turn(Instant{end_ns});
                has_turned = true;
            } else {
                next_ns = std::min(next_ns, due_ns);
            }
        }
        if (!has_turned) simulation.advance_to(next_ns);
    }
}

Plan plan_with(std::vector<ProbePlan> probes) {
    Plan plan;
    plan.name = "node";
    plan.precision = Precision::power;
    plan.reflector.allow = {*parse_prefix("10.0.0.0/8"), *parse_prefix("fc00::/7")};
    std::uint32_t index = 0;
    for (ProbePlan& probe : probes) {
        probe.probe_index = index;
        probe.target_index = index;
        probe.ssid = static_cast<std::uint16_t>(++index);
        const auto in_flight = static_cast<std::uint32_t>(probe.timeout / probe.interval) + 2;
        probe.in_flight_slots = std::bit_ceil(2 * in_flight);
    }
    plan.probe_count = index;
    plan.targets.resize(index);
    plan.cores.push_back({.cpu = 0, .probes = std::move(probes)});
    plan.listeners.push_back({.is_tcp = false, .endpoint = {.port = 8001}});
    plan.listeners.push_back({.is_tcp = true, .endpoint = {.port = 8000}});
    return plan;
}

ProbePlan probe_to(const std::string& address, ProbeKind kind, Duration interval) {
    ProbePlan probe;
    probe.kind = kind;
    probe.port = kind == ProbeKind::udp ? 8001 : 8000;
    probe.size_bytes = 100;  // As much as the TLVs take.
    probe.tlvs = tlvs_default;
    probe.waits_for_follow_up = true;
    probe.interval = interval;
    probe.timeout = Duration::from_ms(100);
    probe.max_lost = 10;
    probe.address = endpoint(address, probe.port);
    probe.host = address;
    return probe;
}

}  // namespace latmon::sim
