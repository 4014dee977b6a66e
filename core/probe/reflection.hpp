// SPDX-License-Identifier: Apache-2.0
//
// Turns a probe of somebody else's into its reply, in place, and into a sample: what the UDP and
// the TCP reflector have in common. In two steps, so that T3 is taken after everything else. Used
// on one core-thread; allocates nothing.
#pragma once

#include "config/config.hpp"
#include "probe/probe.hpp"
#include "wire/descriptor.hpp"
#include "wire/stamp.hpp"
#include "wire/tlv_values.hpp"

#include <cstddef>
#include <optional>
#include <span>

namespace latmon {

// One admitted probe.
struct Reflection {
    latmon_protocol_t protocol = LATMON_PROTOCOL_UDP;
    std::uint32_t series_id = 0;
    std::uint32_t sequence =
        0;  // How many of this session came before: the reflector's own number.
    Endpoint source;
    Endpoint destination;  // Which address of ours it was sent to; all zero: not known.
    std::uint8_t ttl = 0;  // As received; 0: unknown.
    std::uint8_t traffic_class = 0;
    bool has_traffic_class = false;
    bool has_kernel_time = false;
    WallTime kernel_time;          // When the kernel took it from the driver, by CLOCK_REALTIME.
    const HmacKey* key = nullptr;  // Of its authenticated mode, in which it was verified.
    std::optional<FollowUp> previous;  // When the reply before this one really left.
    Descriptor* descriptor = nullptr;  // Where the request's descriptor goes; null: nowhere.
};

// Whether a request says who sends it. One that does measures nothing.
enum class DescriptorSeen : std::uint8_t { none, valid, invalid };

// When a request came.
struct ArrivalTime {
    WallTime t2;
    Duration dwell{};  // From T2 to the loop's reading of the clock; 0 if that is T2.
    bool is_kernel = false;
};

// What the first step found out and the second needs.
struct ReplyDraft {
    SenderPacket request;
    ArrivalTime arrival;
    bool is_ptp = false;
    std::uint32_t sequence = 0;      // As it goes into the reply.
    std::uint8_t traffic_class = 0;  // For the reply, without ECN.
    DescriptorSeen descriptor = DescriptorSeen::none;
};

// `packet` holds the request, octet for octet as long as its reply (at least a base packet: a
// shorter request must have been given room). Answers its TLVs. T2 is the kernel's stamp, if it has
// one that makes sense and is by the clock that runs now, else the reactor's arrival().
// [core-thread]
[[nodiscard]] ReplyDraft draft_reply(CoreContext& context, const ReflectorConfig& policy,
                                     const Reflection& reflection,
                                     std::span<std::byte> packet) noexcept;

// Takes T3, writes the base packet, and emits the sample, unless the request brought a descriptor.
// Returns T3. [core-thread]
[[nodiscard]] WallTime seal_reply(CoreContext& context, const Reflection& reflection,
                                  const ReplyDraft& draft, std::span<std::byte> packet) noexcept;

// Of these both are made, for requests in any format. [core-thread]

// The kernel's stamp, if it makes sense and is by the clock that runs now, else the reactor's
// arrival().
[[nodiscard]] ArrivalTime arrival_time(const CoreContext& context,
                                       const Reflection& reflection) noexcept;

// Now: the loop's reading and what has passed since on the raw clock, so that a step of the wall
// clock cannot enter the turnaround.
[[nodiscard]] WallTime departure_time(const CoreContext& context) noexcept;

// A sample of an answered request, without what the request says itself: number, T1, session id.
[[nodiscard]] Sample reflection_sample(const CoreContext& context, const Reflection& reflection,
                                       const ArrivalTime& arrival, WallTime t3) noexcept;

}  // namespace latmon
