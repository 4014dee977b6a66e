// SPDX-License-Identifier: Apache-2.0
//
// See stamp_reply.hpp.
#include "loadgen/stamp_reply.hpp"

#include "base/assert.hpp"
#include "wire/ancestor.hpp"

namespace latmon::loadgen {

std::optional<SenderPacket> read_request(std::span<const std::byte> packet, WallTime now) noexcept {
    if (packet.size() < limits::stamp_base_bytes) return std::nullopt;
    if (decode_ancestor(packet) || looks_reflected(packet, now)) return std::nullopt;
    return decode_sender(packet);
}

void write_reply(std::span<std::byte> packet, const SenderPacket& request, std::uint32_t sequence,
                 const ReplyStamps& stamps) noexcept {
    LATMON_ASSERT(packet.size() >= limits::stamp_base_bytes);
    reflect_tlvs(packet.subspan(limits::stamp_base_bytes));
    // Sender and targets share a host and so a clock: nothing is ever less than synchronised here,
    // but the estimate must not say that it was by an outside source.
    const std::uint16_t error_estimate = encode_error_estimate({.error = Duration::from_us(1)});
    encode_reflector({.sequence = sequence,
                      .t3 = to_ntp(stamps.t3),
                      .error_estimate = error_estimate,
                      .ssid = request.ssid,
                      .t2 = to_ntp(stamps.t2),
                      .sender_sequence = request.sequence,
                      .sender_t1 = request.t1,
                      .sender_error_estimate = request.error_estimate,
                      .sender_ttl = stamps.ttl},
                     packet.first<limits::stamp_base_bytes>());
}

}  // namespace latmon::loadgen
