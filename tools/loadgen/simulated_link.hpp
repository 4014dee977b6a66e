// SPDX-License-Identifier: Apache-2.0
//
// The network that simulated targets seem to be behind: a direction there, one back, and the times
// at which targets are away. What chance does comes from one seed, so that the same packets in the
// same order meet the same fate. Pure; one per thread; it does not hold packets.
#pragma once

#include "loadgen/link_direction.hpp"
#include "loadgen/outages.hpp"

#include <cstdint>

namespace latmon::loadgen {

struct LinkOptions {
    DirectionOptions forward;
    DirectionOptions reverse;
    OutageOptions outages;
    std::uint64_t seed = 1;
};

// The same link as a stream sees it: nothing is lost, doubled or out of order there.
[[nodiscard]] inline LinkOptions for_streams(LinkOptions options) noexcept {
    for (DirectionOptions* direction : {&options.forward, &options.reverse}) {
        direction->loss_percent = direction->reorder_percent = direction->duplicate_percent = 0;
        direction->queue_max = Duration::from_s(3'600);
    }
    return options;
}

class SimulatedLink {
public:
    SimulatedLink(const LinkOptions& options, std::uint32_t target_count, Instant origin)
        : forward(options.forward, target_count, options.seed),
          reverse(options.reverse, target_count, options.seed ^ 0x5265'7665'7273'6521),
          outages(options.outages, target_count, origin) {}

    [[nodiscard]] bool delays() const noexcept { return forward.delays() || reverse.delays(); }

    LinkDirection forward;
    LinkDirection reverse;
    Outages outages;
};

}  // namespace latmon::loadgen
