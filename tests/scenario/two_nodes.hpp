// SPDX-License-Identifier: Apache-2.0
//
// Two nodes of which the near one probes the far one once a millisecond, over a link of 50 us
// unless a scenario makes it another: what most scenarios of modes begin with.
#pragma once

#include "support/sim_node.hpp"

#include <doctest/doctest.h>
#include <limits>
#include <utility>
#include <vector>

namespace latmon::sim {

inline constexpr const char* near_address = "10.0.0.1";
inline constexpr const char* far_address = "10.0.0.2";
inline constexpr Duration one_way = Duration::from_us(50);

inline bool is_forward(const Packet& packet) {
    return packet.to.port == 8001;
}

inline Plan near_plan() {
    ProbePlan probe = probe_to(far_address, ProbeKind::udp, Duration::from_ms(1));
    probe.max_lost = 0;  // The path stays as it is.
    return plan_with({probe});
}

inline ProbePlan& probe_of(Plan& plan) {
    return plan.cores[0].probes[0];
}

// Two nodes, the near one probing the far one once a millisecond.
struct Pair {
    explicit Pair(Plan near_side, Plan far_side = plan_with({}),
                  const std::vector<HmacKey>& keys = {})
        : near(world.add(std::move(near_side), near_address, keys)),
          far(world.add(std::move(far_side), far_address, keys)) {}

    [[nodiscard]] const ProbeCounters& counters() { return near.core().counters(0); }
    [[nodiscard]] std::uint64_t reflected(ReflectReason reason) {
        return far.core().udp_reflector().read(reason);
    }
    void run(Duration duration) {
        world.start();
        world.run_for(duration);
    }
    void stop() {
        near.core().apply({.kind = CoreCommand::Kind::stop_sending});
        world.run_for(Duration::from_ms(300));
        CHECK(near.core().is_idle());
    }
    void check_all_answered(std::uint64_t at_least) {
        CHECK(counters().answered.read() >= at_least);
        CHECK(counters().sent.read() == counters().answered.read() + counters().in_flight());
        CHECK(counters().in_flight() <= 1);
        CHECK(counters().invalid.read() == 0);
    }
    void set_clocks(const LocalClock& clock) {
        near.core().apply({.kind = CoreCommand::Kind::set_clock, .clock = clock});
        far.core().apply({.kind = CoreCommand::Kind::set_clock, .clock = clock});
    }

    World world;
    Node& near;
    Node& far;
};

inline LocalClock synchronized_clock() {
    LocalClock clock;
    clock.is_synchronized = true;
    clock.source = ClockSource::operator_;
    clock.error = Duration::from_us(20);
    clock.valid_until = Instant{std::numeric_limits<std::int64_t>::max()};
    return clock;
}

inline std::vector<Sample> answers(Node& node) {
    return Node::only(node.take_samples(), LATMON_KIND_EXCHANGE, LATMON_STATUS_OK);
}

}  // namespace latmon::sim
