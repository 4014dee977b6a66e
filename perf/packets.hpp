// SPDX-License-Identifier: Apache-2.0
//
// The probe that benchmarks send, and what a latmon would answer to it: made by the same code as on
// a core-thread. Without TLVs, 44 octets; or with those that a probe has by default, 100.
#pragma once

#include "base/limits.hpp"
#include "probe/packet_template.hpp"
#include "wire/tlv_reflect.hpp"

#include <sys/socket.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace latmon {

inline constexpr std::size_t reply_bytes_max = 128;
using ReplyOctets = std::array<std::byte, reply_bytes_max>;

[[nodiscard]] inline ProbePlan plan_of_probe(bool has_tlvs) {
    ProbePlan plan;
    plan.ssid = 1;
    plan.size_bytes = has_tlvs ? 100 : limits::stamp_base_bytes;
    plan.tlvs = has_tlvs ? tlvs_default : 0;
    plan.waits_for_follow_up = has_tlvs;
    plan.interval = Duration::from_ms(1);
    plan.timeout = Duration::from_s(1);
    plan.in_flight_slots = 4096;
    return plan;
}

// What a stateful reflector makes of `request`, which `probe` wrote; `sequence` is its own number.
// Returns the octets of `out` that are the reply.
inline std::span<const std::byte> make_reply(const PacketTemplate& probe,
                                             const SenderPacket& request, std::uint32_t sequence,
                                             ReplyOctets& out) {
    const std::span<std::byte> reply =
        std::span(out).first(limits::stamp_base_bytes + probe.tlvs().tlv_bytes);
    const msghdr& header = probe.message().header();
    std::size_t at = 0;
    for (const iovec& part : std::span(header.msg_iov, header.msg_iovlen)) {
        std::memcpy(out.data() + at, part.iov_base, part.iov_len);
        at += part.iov_len;
    }
    encode_reflector({.sequence = sequence,
                      .t3 = request.t1,
                      .error_estimate = request.error_estimate,
                      .ssid = request.ssid,
                      .t2 = request.t1,
                      .sender_sequence = request.sequence,
                      .sender_t1 = request.t1,
                      .sender_error_estimate = request.error_estimate,
                      .sender_ttl = 64},
                     reply.first<limits::stamp_base_bytes>());
    const SessionFacts session{
        .received_count = sequence + 1,
        .sent_count = sequence + 1,
        .previous = FollowUp{
            .sequence = sequence - 1, .timestamp = request.t1, .method = stamp_method::software}};
    static_cast<void>(reflect_tlvs(
        reply.subspan(limits::stamp_base_bytes),
        {.reply_sequence = sequence, .traffic_class = std::uint8_t{0}, .session = &session}));
    return reply;
}

}  // namespace latmon
