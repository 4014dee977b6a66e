// SPDX-License-Identifier: Apache-2.0
//
// Turns a STAMP request into its reply, in place: what the simulated targets do over UDP and TCP
// alike. Pure; any thread.
#pragma once

#include "base/time.hpp"
#include "wire/stamp.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace latmon::loadgen {

// The request, or nothing if `packet` is shorter than 44 octets, or looks like a reflection or like
// a packet of the Python tool latency-monitor, which is another protocol's.
[[nodiscard]] std::optional<SenderPacket> read_request(std::span<const std::byte> packet,
                                                       WallTime now) noexcept;

struct ReplyStamps {
    WallTime t2;
    WallTime t3;
    std::uint8_t ttl = 0;  // Of the request as received; 0: unknown.
};

// `packet` holds `request` and becomes the reply with the reflector's own number `sequence`, of the
// same length.
void write_reply(std::span<std::byte> packet, const SenderPacket& request, std::uint32_t sequence,
                 const ReplyStamps& stamps) noexcept;

}  // namespace latmon::loadgen
