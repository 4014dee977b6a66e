// SPDX-License-Identifier: Apache-2.0
//
// See reflection.hpp.
#include "probe/reflection.hpp"

#include "base/assert.hpp"
#include "probe/sample_fields.hpp"
#include "wire/stamp.hpp"

namespace latmon {
namespace {

Sample reflection_sample(const CoreContext& context, const Reflection& reflection,
                         const SenderPacket& request, WallTime t2, WallTime t3) noexcept {
    Sample sample = make_sample(LATMON_KIND_REFLECTION, LATMON_STATUS_OK, reflection.protocol);
    sample.series_id = reflection.series_id;
    sample.core = context.core_index;
    sample.time_ns = t3.ns;
    sample.sequence = request.sequence;
    sample.peer_sequence = reflection.sequence;
    sample.turnaround_ns = (t3 - t2).ns;
    sample.t2_ns = t2.ns;
    sample.t3_ns = t3.ns;
    sample.t2_stamp = LATMON_STAMP_USER;
    sample.t3_stamp = LATMON_STAMP_USER;
    sample.valid = LATMON_HAS_SEQUENCE | LATMON_HAS_PEER_SEQUENCE | LATMON_HAS_TURNAROUND |
                   LATMON_HAS_T2 | LATMON_HAS_T3;
    if (!decode_error_estimate(request.error_estimate).is_ptp) {
        sample.t1_ns = from_ntp(request.t1, t2).ns;
        sample.t1_stamp = LATMON_STAMP_PEER;
        sample.valid |= LATMON_HAS_T1;
    }
    if (reflection.ttl != 0) {
        sample.ttl_fwd = reflection.ttl;
        sample.valid |= LATMON_HAS_TTL_FWD;
    }
    if (reflection.has_traffic_class) {
        sample.dscp_fwd = static_cast<std::uint8_t>(reflection.traffic_class >> 2U);
        sample.valid |= LATMON_HAS_DSCP_FWD;
    }
    set_peer_fields(sample, reflection.source, request.ssid);
    return sample;
}

}  // namespace

void reflect_packet(CoreContext& context, const Reflection& reflection,
                    std::span<std::byte> packet) noexcept {
    LATMON_ASSERT(packet.size() >= limits::stamp_base_bytes);
    const std::optional<SenderPacket> request = decode_sender(packet);
    LATMON_ASSERT(request.has_value());
    const LoopStamp& arrival = context.reactor.arrival();
    reflect_tlvs(packet.subspan(limits::stamp_base_bytes));

    const WallTime t3 = arrival.wall + (context.reactor.clock().raw_now() - arrival.raw);
    encode_reflector({.sequence = reflection.sequence,
                      .t3 = to_ntp(t3),
                      .error_estimate = context.error_estimate,
                      .ssid = request->ssid,
                      .t2 = to_ntp(arrival.wall),
                      .sender_sequence = request->sequence,
                      .sender_t1 = request->t1,
                      .sender_error_estimate = request->error_estimate,
                      .sender_ttl = reflection.ttl},
                     packet.first<limits::stamp_base_bytes>());
    context.outlet.emit(reflection_sample(context, reflection, *request, arrival.wall, t3));
}

}  // namespace latmon
