// SPDX-License-Identifier: Apache-2.0
//
// See reflection.hpp.
#include "probe/reflection.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "probe/sample_fields.hpp"
#include "wire/auth.hpp"
#include "wire/tlv_reflect.hpp"

namespace latmon {
namespace {

std::uint8_t sync_source_of(ClockSource source) noexcept {
    switch (source) {
        case ClockSource::kernel:
        case ClockSource::chrony:
            return sync_source::ntp;
        case ClockSource::operator_:
            return sync_source::ptp;
        case ClockSource::none:
            break;
    }
    return sync_source::free_running;
}

TimestampInfo timestamp_info(const CoreContext& context) noexcept {
    const bool is_synchronized =
        context.own_clock.state().is_synchronized_at(context.reactor.arrival().now);
    const std::uint8_t source = is_synchronized ? sync_source_of(context.own_clock.state().source)
                                                : sync_source::free_running;
    return {.sync_source_in = source,
            .method_in = stamp_method::software,
            .sync_source_out = source,
            .method_out = stamp_method::software};
}

ExchangeInfo exchange_info(const CoreContext& context, const ReflectorConfig& policy,
                           const ReplyDraft& draft) noexcept {
    const Instant now = context.reactor.arrival().now;
    unsigned flags = 0;
    if (policy.is_stateful) flags |= exchange_flags::stateful;
    if (draft.arrival.is_kernel) flags |= exchange_flags::t2_kernel;
    if (context.own_clock.state().is_synchronized_at(now)) flags |= exchange_flags::synchronized;
    return {.flags = static_cast<std::uint8_t>(flags),
            .peer_rx_ns = saturate_ns(draft.arrival.dwell),
            .clock_epoch = context.clock_epoch()};
}

// Keeps what the TLVs ask for and say beyond themselves.
void take_outcome(const TlvOutcome& outcome, const Reflection& reflection,
                  ReplyDraft& draft) noexcept {
    if (outcome.reply_dscp) {
        draft.traffic_class = static_cast<std::uint8_t>(*outcome.reply_dscp << 2U);
    }
    if (outcome.descriptor) {
        draft.descriptor = DescriptorSeen::valid;
        if (reflection.descriptor != nullptr) *reflection.descriptor = *outcome.descriptor;
    } else if (outcome.is_descriptor_invalid) {
        draft.descriptor = DescriptorSeen::invalid;
    }
}

void answer_tlvs(const CoreContext& context, const ReflectorConfig& policy,
                 const Reflection& reflection, std::span<std::byte> tlvs,
                 ReplyDraft& draft) noexcept {
    if (tlvs.size() < tlv_header_bytes) return;
    const SessionFacts session{.received_count = reflection.sequence + 1,
                               .sent_count = reflection.sequence,
                               .previous = reflection.previous};
    const LocationFacts location{.source = reflection.source,
                                 .destination = reflection.destination,
                                 .is_told = policy.fills_location};
    ReflectorFacts facts{.seal = {.sequence = draft.request.sequence,
                                  .key = reflection.key,
                                  .is_required = reflection.key != nullptr},
                         .reply_sequence = draft.sequence,
                         .timestamp_info = timestamp_info(context),
                         .traffic_class = std::nullopt,
                         .allowed_dscps = policy.dscp_allow,
                         .session = policy.is_stateful ? &session : nullptr,
                         .location = &location,
                         .exchange = exchange_info(context, policy, draft)};
    if (reflection.has_traffic_class) facts.traffic_class = reflection.traffic_class;
    take_outcome(reflect_tlvs(tlvs, facts), reflection, draft);
}

Sample stamp_sample(const CoreContext& context, const Reflection& reflection,
                    const ReplyDraft& draft, WallTime t3) noexcept {
    Sample sample = reflection_sample(context, reflection, draft.arrival, t3);
    sample.sequence = draft.request.sequence;
    sample.peer_sequence = draft.sequence;
    sample.valid |= LATMON_HAS_SEQUENCE | LATMON_HAS_PEER_SEQUENCE;
    if (!decode_error_estimate(draft.request.error_estimate).is_ptp) {
        sample.t1_ns = from_ntp(draft.request.t1, draft.arrival.t2).ns;
        sample.t1_stamp = LATMON_STAMP_PEER;
        sample.valid |= LATMON_HAS_T1;
    }
    set_peer_fields(sample, reflection.source, draft.request.ssid);
    return sample;
}

}  // namespace

ArrivalTime arrival_time(const CoreContext& context, const Reflection& reflection) noexcept {
    const WallTime read = context.reactor.arrival().wall;
    if (!reflection.has_kernel_time) return {.t2 = read};
    const WallTime kernel = context.reactor.clock().wall_of_kernel(reflection.kernel_time);
    const Duration dwell = read - kernel;
    if (dwell.ns < 0 || dwell.ns > limits::socket_dwell_ns_max) return {.t2 = read};
    // T3 will be by the clock that was read: a T2 by another one is a turnaround that never was.
    if (context.wall_watch.may_precede_change(kernel)) return {.t2 = read};
    return {.t2 = kernel, .dwell = dwell, .is_kernel = true};
}

WallTime departure_time(const CoreContext& context) noexcept {
    const LoopStamp& arrival = context.reactor.arrival();
    return arrival.wall + (context.reactor.clock().raw_now() - arrival.raw);
}

Sample reflection_sample(const CoreContext& context, const Reflection& reflection,
                         const ArrivalTime& arrival, WallTime t3) noexcept {
    Sample sample = make_sample(LATMON_KIND_REFLECTION, LATMON_STATUS_OK, reflection.protocol);
    sample.series_id = reflection.series_id;
    sample.core = context.core_index;
    sample.time_ns = t3.ns;
    sample.turnaround_ns = (t3 - arrival.t2).ns;
    sample.t2_ns = arrival.t2.ns;
    sample.t3_ns = t3.ns;
    sample.t2_stamp = arrival.is_kernel ? LATMON_STAMP_KERNEL : LATMON_STAMP_USER;
    sample.t3_stamp = LATMON_STAMP_USER;
    sample.valid = LATMON_HAS_TURNAROUND | LATMON_HAS_T2 | LATMON_HAS_T3;
    if (arrival.is_kernel) {
        sample.local_rx_ns = arrival.dwell.ns;
        sample.valid |= LATMON_HAS_LOCAL_RX;
    }
    if (reflection.ttl != 0) {
        sample.ttl_fwd = reflection.ttl;
        sample.valid |= LATMON_HAS_TTL_FWD;
    }
    if (reflection.has_traffic_class) {
        sample.dscp_fwd = static_cast<std::uint8_t>(reflection.traffic_class >> 2U);
        sample.valid |= LATMON_HAS_DSCP_FWD;
    }
    return sample;
}

ReplyDraft draft_reply(CoreContext& context, const ReflectorConfig& policy,
                       const Reflection& reflection, std::span<std::byte> packet) noexcept {
    const std::size_t base_bytes = base_bytes_of(reflection.key);
    LATMON_ASSERT(packet.size() >= base_bytes);
    const std::optional<SenderPacket> request = decode_sender(packet, reflection.key);
    LATMON_ASSERT(request.has_value());
    ReplyDraft draft;
    draft.request = *request;
    draft.is_ptp =
        policy.timestamp_format == TimestampFormat::ptp && context.own_clock.state().has_tai_offset;
    // A stateless reflector has no number of its own (RFC 8762 section 4.3.1).
    draft.sequence = policy.is_stateful ? reflection.sequence : request->sequence;
    draft.arrival = arrival_time(context, reflection);
    draft.traffic_class = static_cast<std::uint8_t>(reflection.traffic_class & 0xfcU);
    answer_tlvs(context, policy, reflection, packet.subspan(base_bytes), draft);
    return draft;
}

WallTime seal_reply(CoreContext& context, const Reflection& reflection, const ReplyDraft& draft,
                    std::span<std::byte> packet) noexcept {
    const LoopStamp& arrival = context.reactor.arrival();
    ReflectorPacket reply{
        .sequence = draft.sequence,
        .t3 = {},
        .error_estimate = context.own_clock.error_estimate(arrival.now, draft.is_ptp),
        .ssid = draft.request.ssid,
        .t2 = context.own_clock.encode_time(draft.arrival.t2, draft.is_ptp),
        .sender_sequence = draft.request.sequence,
        .sender_t1 = draft.request.t1,
        .sender_error_estimate = draft.request.error_estimate,
        .sender_ttl = reflection.ttl};
    const WallTime t3 = departure_time(context);
    reply.t3 = context.own_clock.encode_time(t3, draft.is_ptp);
    encode_reflector(reply, reflection.key, packet);
    if (draft.descriptor == DescriptorSeen::none) {
        emit(context, stamp_sample(context, reflection, draft, t3));
    }
    return t3;
}

}  // namespace latmon
