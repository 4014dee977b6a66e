// SPDX-License-Identifier: Apache-2.0
//
// A whole latmon node in a simulation: a Core as the daemon builds it, over a simulated ring and
// clock, with one queue of samples for the test to read. A World drives several of them through
// virtual time.
#pragma once

#include "daemon/core.hpp"
#include "support/sim_ring.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace latmon::sim {

class World;

class Node {
public:
    Node(World& world, Plan plan, const std::string& address, std::vector<HmacKey> keys);

    [[nodiscard]] Core& core() noexcept { return *core_; }
    // Samples made since the last call, of the kinds that the test wants.
    [[nodiscard]] std::vector<Sample> take_samples();
    // The series of peers that said who they are.
    [[nodiscard]] const PeerSeries& peer_series() const noexcept { return peer_series_; }
    // Who peers said they are since the last call.
    [[nodiscard]] std::vector<PeerDescriptor> take_peers();
    // Only those of one kind and status.
    [[nodiscard]] static std::vector<Sample> only(const std::vector<Sample>& samples,
                                                  latmon_kind_t kind, latmon_status_t status);

    // The core is not run until this time: a stall of its host.
    std::int64_t frozen_until_ns = 0;

    SimClock clock;
    SimRing ring;

private:
    friend class World;
    const Plan plan_;
    SampleQueue queue_;
    PeerQueue peers_;
    PeerSeries peer_series_;
    std::unique_ptr<Core> core_;
};

class World {
public:
    explicit World(std::uint64_t seed = 1) : simulation(seed) {}

    // Adds a node that reflects on the plan's listeners; start() starts them all. `keys`: those of
    // Plan::key_files, read.
    Node& add(Plan plan, const std::string& address, std::vector<HmacKey> keys = {});
    void start();
    // Lets virtual time pass.
    void run_for(Duration duration);

    Simulation simulation;
    Directory directory;

private:
    std::vector<std::unique_ptr<Node>> nodes_;
};

// A plan with the given probes on one core; unset fields of a probe get sensible values.
[[nodiscard]] Plan plan_with(std::vector<ProbePlan> probes);
// A probe of `kind` to `address`, every `interval`.
[[nodiscard]] ProbePlan probe_to(const std::string& address, ProbeKind kind, Duration interval);

}  // namespace latmon::sim
