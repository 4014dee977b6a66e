// SPDX-License-Identifier: Apache-2.0
//
// Turns a probe of somebody else's into its reply, in place, and into a sample: what the UDP and
// the TCP reflector have in common. Used on one core-thread; allocates nothing.
#pragma once

#include "probe/probe.hpp"

#include <cstddef>
#include <span>

namespace latmon {

// One admitted probe.
struct Reflection {
    latmon_protocol_t protocol = LATMON_PROTOCOL_UDP;
    std::uint32_t series_id = 0;
    std::uint32_t sequence = 0;  // The reflector's own, of this session.
    Endpoint source;
    std::uint8_t ttl = 0;  // As received; 0: unknown.
    std::uint8_t traffic_class = 0;
    bool has_traffic_class = false;
};

// `packet` holds the request and becomes the reply, octet for octet as long (at least 44: a shorter
// request must have been given room). T2 is the reactor's arrival(); T3 is taken here, last, by
// adding to T2 what passed on the raw clock, so that a step of the wall clock cannot enter the
// turnaround. Emits the sample. [core-thread]
void reflect_packet(CoreContext& context, const Reflection& reflection,
                    std::span<std::byte> packet) noexcept;

}  // namespace latmon
