// SPDX-License-Identifier: Apache-2.0
//
// Exchanges from reply to sample: what the reply says, what it still waits for, and the sample that
// becomes of it. See exchanges.hpp and answer.hpp.
#include "base/assert.hpp"
#include "probe/clock_series.hpp"
#include "probe/exchanges.hpp"
#include "probe/sample_fields.hpp"
#include "wire/auth.hpp"

#include <limits>

namespace latmon {
namespace {

// The peer's moment on its own wall clock, as near `near`.
WallTime decode_time(WireTime time, bool is_ptp, WallTime near, Duration tai_offset) noexcept {
    return is_ptp ? from_ptp(time, near, tai_offset) : from_ntp(time, near);
}

latmon_stamp_t kind_of_t2(const ReplyTlvs& tlvs) noexcept {
    if (tlvs.exchange) {
        const std::uint8_t flags = tlvs.exchange->flags;
        if ((flags & exchange_flags::t2_hardware) != 0) return LATMON_STAMP_HW;
        return (flags & exchange_flags::t2_kernel) != 0 ? LATMON_STAMP_KERNEL : LATMON_STAMP_USER;
    }
    const bool is_hardware =
        tlvs.timestamp_info && tlvs.timestamp_info->method_in == stamp_method::hardware;
    return is_hardware ? LATMON_STAMP_HW : LATMON_STAMP_PEER;
}

latmon_stamp_t kind_of_t3(const ReplyTlvs& tlvs) noexcept {
    if (tlvs.exchange) {
        const bool is_kernel = (tlvs.exchange->flags & exchange_flags::t3_kernel) != 0;
        return is_kernel ? LATMON_STAMP_KERNEL : LATMON_STAMP_USER;
    }
    const bool is_hardware =
        tlvs.timestamp_info && tlvs.timestamp_info->method_out == stamp_method::hardware;
    return is_hardware ? LATMON_STAMP_HW : LATMON_STAMP_PEER;
}

latmon_stamp_t kind_of_follow_up(std::uint8_t method) noexcept {
    if (method == stamp_method::hardware) return LATMON_STAMP_HW;
    return method == stamp_method::software ? LATMON_STAMP_KERNEL : LATMON_STAMP_PEER;
}

// What lasts longer than a sample can tell is left out.
void note_acked(Flight& flight, WallTime acked) noexcept {
    const Duration passed = acked - flight.t1_user();
    constexpr Duration longest{std::numeric_limits<std::uint32_t>::max()};
    if (passed.ns < 0 || passed > longest) return;
    flight.acked_ns = static_cast<std::uint32_t>(passed.ns);
    flight.is_acked = true;
}

// From our packet's departure to its acknowledgement by the peer's host.
void set_tcp_ack(Answer& answer, WallTime acked) noexcept {
    const Duration passed = acked - answer.sent.kernel;
    constexpr Duration longest{std::numeric_limits<std::uint32_t>::max()};
    if (!answer.sent.has_kernel || passed.ns < 0 || passed > longest) return;
    if (has_wall_jumped(answer)) return;
    answer.sample.tcp_ack_ns = static_cast<std::uint32_t>(passed.ns);
    answer.sample.valid |= LATMON_HAS_TCP_ACK;
}

}  // namespace

void Exchanges::answer(Flight& flight, const ReflectorPacket& reply,
                       std::span<const std::byte> packet, const ReplyPath& path) noexcept {
    const ReplyTlvs tlvs = read_tlvs(flight, packet, reply.sequence);
    // An answer that waited for this one is judged before what this one says of the peer's clock,
    // and we of ours. A T3 from about when the peer's clock was set may be by either clock.
    if (is_new_epoch(tlvs)) {
        early_follow_up_.reset();
    } else {
        take_follow_up(tlvs.follow_up, decode_error_estimate(reply.error_estimate).is_ptp);
    }
    finish_held();
    check_own_clock();
    note_peer(reply, tlvs);

    flight.peer_sequence = reply.sequence;
    const bool says_stateful =
        tlvs.exchange && (tlvs.exchange->flags & exchange_flags::stateful) != 0;
    end_answered(flight, {.drops = path.drops,
                          .has_drops = path.has_drops,
                          .says_stateful = says_stateful,
                          .answered = context_.reactor.arrival().raw});
    if (!flight.is_measuring) return;
    Answer answer = make_answer(flight, reply, tlvs, path);
    hold_or_finish(answer, {.sequence = flight.sequence,
                            .peer_sequence = reply.sequence,
                            .is_ptp = decode_error_estimate(reply.error_estimate).is_ptp});
}

// The flight's `peer_sequence` is set.
void Exchanges::end_answered(Flight& flight, const AnswerFacts& facts) noexcept {
    flights_.end(flight, Flight::State::answered);
    ledger_.note_answer(flight, facts);
    ledger_.settle(flights_, *this);
    disarm_timer();
    has_answered_on_path_ = true;
    consecutive_failures_ = 0;
    if (flight.is_measuring) counters_.answered.add(1);
}

// What follows the TLVs that were sent is padding, and anything: of a stream not even all of it is
// at hand. A descriptor's packet is TLVs to its end.
ReplyTlvs Exchanges::read_tlvs(const Flight& flight, std::span<const std::byte> packet,
                               std::uint32_t sequence) const noexcept {
    const std::size_t base_bytes = base_bytes_of(key_);
    if (tlv_bytes_ == 0 || packet.size() <= base_bytes) return {};
    const std::size_t behind_base = packet.size() - base_bytes;
    const std::size_t tlv_bytes = flight.is_measuring ? tlv_bytes_ : behind_base;
    return read_reply_tlvs(packet.subspan(base_bytes, std::min(tlv_bytes, behind_base)),
                           {.sequence = sequence, .key = key_, .is_required = key_ != nullptr});
}

// Whether a probe that was sent later has been answered already.
bool Exchanges::note_order(const Flight& flight) noexcept {
    const bool is_reordered =
        has_answered_ && static_cast<std::int32_t>(flight.sequence - highest_answered_) < 0;
    if (!is_reordered) highest_answered_ = flight.sequence;
    has_answered_ = true;
    if (is_reordered) counters_.reordered.add(1);
    return is_reordered;
}

// The peer's clock was stepped, or slewed harder than a crystal drifts.
bool Exchanges::is_new_epoch(const ReplyTlvs& tlvs) const noexcept {
    return tlvs.exchange && has_peer_epoch_ && tlvs.exchange->clock_epoch != peer_epoch_;
}

void Exchanges::note_peer(const ReflectorPacket& reply, const ReplyTlvs& tlvs) noexcept {
    CoreCounters& counters = context_.counters;
    if (tlvs.unrecognized_count > 0) counters.tlvs_unrecognized.add(tlvs.unrecognized_count);
    if (tlvs.malformed_count > 0) counters.tlvs_malformed.add(tlvs.malformed_count);
    if (tlvs.integrity_count > 0) counters.tlvs_failed_integrity.add(tlvs.integrity_count);
    const bool is_sent = plan_.on_ssid_zero != OnSsidZero::base || !is_ssid_zero_;
    if (plan_.ssid != 0 && reply.ssid == 0 && is_sent) {
        is_ssid_zero_ = true;
        counters.ssid_zero.add(1);
    }
    if (!tlvs.exchange) return;
    is_peer_latmon_ = true;
    if (is_new_epoch(tlvs)) {
        // What we know of the offset is void, and so is every exchange whose T2 may be older than
        // the news. A probe that leaves from now on gets there after its clock was set.
        path_clock_.reset();
        peer_steady_from_ = context_.reactor.arrival().raw;
    }
    has_peer_epoch_ = true;
    peer_epoch_ = tlvs.exchange->clock_epoch;
}

// What our side knows of an exchange that was answered just now.
Answer Exchanges::begin_answer(const Flight& flight, const ReplyPath& path) noexcept {
    const LoopStamp& arrival = context_.reactor.arrival();
    const Clock& clock = context_.reactor.clock();
    const bool is_reordered = note_order(flight);
    Answer answer;
    answer.sample = sample_of(flight, is_reordered ? LATMON_STATUS_REORDERED : LATMON_STATUS_OK);
    // Replies of the ancestor's differ from their requests by the length of a name.
    if (!flight.is_ancestor) answer.sample.packet_bytes = path.packet_bytes;
    set_path(answer.sample, path);
    answer.sent = {.raw = flight.sent_raw,
                   .wall_minus_raw = flight.wall_minus_raw,
                   .uncertainty = flight.uncertainty,
                   .has_kernel = flight.t1_source != StampSource::none,
                   .kernel = flight.t1_kernel,
                   .has_card = flight.has_t1_card,
                   .card = flight.t1_card};
    answer.received = {.raw = arrival.raw,
                       .wall_minus_raw = arrival.wall_minus_raw(),
                       .uncertainty = arrival.uncertainty,
                       .has_kernel = path.has_kernel_time,
                       .kernel = clock.wall_of_kernel(path.kernel_time),
                       .has_card = path.has_card_time,
                       .card = path.card_time};
    answer.claims.local_error = context_.own_clock.error_at(arrival.now);
    answer.may_have_waited = has_rx_stamps_ && !path.has_kernel_time;
    if (path.has_kernel_time) has_rx_stamps_ = true;
    answer.wall_rate_ppb = context_.wall_watch.usual_ppb();
    answer.wants_rtt = plan_.wants_rtt;
    if (flight.is_acked) set_tcp_ack(answer, flight.t1_user() + Duration{flight.acked_ns});
    return answer;
}

Answer Exchanges::make_answer(const Flight& flight, const ReflectorPacket& reply,
                              const ReplyTlvs& tlvs, const ReplyPath& path) noexcept {
    const LoopStamp& arrival = context_.reactor.arrival();
    Answer answer = begin_answer(flight, path);
    set_reply(answer.sample, reply);
    if (tlvs.class_of_service) {
        answer.sample.dscp_fwd = tlvs.class_of_service->dscp2;
        answer.sample.valid |= LATMON_HAS_DSCP_FWD;
    }

    const ErrorEstimate estimate = decode_error_estimate(reply.error_estimate);
    const LocalClock& own = context_.own_clock.state();
    const bool is_ptp = estimate.is_ptp;
    answer.peer = {.t2 = decode_time(reply.t2, is_ptp, arrival.wall, own.tai_offset),
                   .t3 = decode_time(reply.t3, is_ptp, arrival.wall, own.tai_offset),
                   .is_absolute = !is_ptp || own.has_tai_offset,
                   .is_steady = flight.sent_raw >= peer_steady_from_,
                   .t2_kind = kind_of_t2(tlvs),
                   .t3_kind = kind_of_t3(tlvs),
                   .peer_rx = std::nullopt,
                   .peer_tx = std::nullopt};
    const bool is_t2_exact =
        answer.peer.t2_kind == LATMON_STAMP_KERNEL || answer.peer.t2_kind == LATMON_STAMP_HW;
    if (gives_exact_t2_ && !is_t2_exact) answer.may_have_waited = true;
    if (is_t2_exact) gives_exact_t2_ = true;
    if (tlvs.exchange && (tlvs.exchange->flags & exchange_flags::t2_kernel) != 0) {
        answer.peer.peer_rx = Duration{tlvs.exchange->peer_rx_ns};
    }
    // A Multiplier of 0 is corrupt (RFC 4656 section 4.1.2) and claims nothing.
    answer.claims.is_remote_trusted = plan_.trust_clock;
    if (estimate.is_synchronized && estimate.error >= Duration{}) {
        answer.claims.remote_error = estimate.error;
    }
    return answer;
}

// -- What an answer waits for -------------------------------------------------------------------

void Exchanges::hold_or_finish(Answer& answer, const HeldFor& reply) noexcept {
    const Instant now = context_.reactor.arrival().now;
    const bool may_be_followed = answer.peer.has_t3;
    const bool has_come = early_follow_up_ && early_follow_up_->sequence == reply.peer_sequence;
    if (may_be_followed && has_come) {
        apply_follow_up(answer.peer, *early_follow_up_, reply.is_ptp);
        early_follow_up_.reset();
    } else if (may_be_followed && gives_follow_up_ && plan_.waits_for_follow_up && !is_stopping_) {
        answer.waits_for_follow_up = true;
        answer.wait_until = now + plan_.interval + timeout_;
    }
    if (has_tx_stamps_ && !answer.sent.has_kernel && !is_stopping_) {
        answer.waits_for_tx_stamp = true;
        const Instant until = now + Duration{limits::tx_stamp_wait_ns};
        answer.wait_until = std::max(answer.wait_until, until);
    }
    if (!answer.waits_for_follow_up && !answer.waits_for_tx_stamp) {
        finish(answer);
        return;
    }
    held_.emplace(answer, reply);
    arm_at(answer.wait_until);
}

// The exact T3 of an earlier reply has come with this one.
void Exchanges::take_follow_up(const std::optional<FollowUp>& follow_up, bool is_ptp) noexcept {
    if (!follow_up) return;
    gives_follow_up_ = true;
    const bool is_held = held_ && held_->reply.peer_sequence == follow_up->sequence;
    if (is_held && held_->reply.is_ptp == is_ptp) {
        apply_follow_up(held_->stamps.peer, *follow_up, is_ptp);
    } else {
        early_follow_up_ = follow_up;  // Of a reply that was overtaken, perhaps.
    }
}

void Exchanges::apply_follow_up(PeerStamps& peer, const FollowUp& follow_up,
                                bool is_ptp) const noexcept {
    const WallTime exact =
        decode_time(follow_up.timestamp, is_ptp, peer.t3, context_.own_clock.state().tai_offset);
    static_cast<void>(take_exact_t3(peer, exact, kind_of_follow_up(follow_up.method)));
}

void Exchanges::on_tx_stamp(std::uint32_t sequence, const TxStamp& stamp) noexcept {
    Flight* const flight = flights_.find(sequence);
    const bool is_held = held_ && held_->reply.sequence == sequence;
    if (stamp.point == StampPoint::acked) {
        const WallTime acked = context_.reactor.clock().wall_of_kernel(stamp.time);
        if (flight != nullptr) note_acked(*flight, acked);
        return;
    }
    if (stamp.point != StampPoint::sent || flight == nullptr) return;
    if (stamp.source == StampSource::hardware) {
        if (flight->has_t1_card) return;
        flight->t1_card = stamp.time;
        flight->has_t1_card = true;
    } else {
        // The first counts: of what a stream sends again each time is stamped.
        if (flight->t1_source != StampSource::none) return;
        flight->t1_kernel = context_.reactor.clock().wall_of_kernel(stamp.time);
        flight->t1_source = stamp.source;
        has_tx_stamps_ = true;
        ledger_.note_tx_stamp(sequence);
        counters_.stamped_tx.add(1);
    }
    if (!is_held) return;
    LocalStamp& sent = held_->stamps.sent;
    sent.has_kernel = flight->t1_source != StampSource::none;
    sent.kernel = flight->t1_kernel;
    sent.has_card = flight->has_t1_card;
    sent.card = flight->t1_card;
    held_->stamps.waits_for_tx_stamp = !sent.has_kernel;
    if (!held_->stamps.waits_for_follow_up && sent.has_kernel) finish_held();
}

// -- The sample ---------------------------------------------------------------------------------

void Exchanges::finish_held() noexcept {
    if (!held_) return;
    Answer answer{held_->stamps, held_->begun.sample()};
    // Samples of a series are in the order of their times, and none is of a time long ago: its
    // window would be closed. When the reply came, t4_ns says.
    answer.sample.time_ns = context_.reactor.clock().wall_now().ns;
    finish(answer);
    held_.reset();
}

void Exchanges::finish(Answer& answer) noexcept {
    complete(answer, path_clock_);
    CoreCounters& counters = context_.counters;
    counters.path_clock_resets.add(path_clock_.resets() - resets_seen_);
    resets_seen_ = path_clock_.resets();
    const Sample& sample = answer.sample;
    counters.owd[sample.owd_class].add(1);
    counters.t1[sample.t1_stamp].add(1);
    counters.t4[sample.t4_stamp].add(1);
    constexpr std::uint32_t has_dwell = LATMON_HAS_LOCAL_TX | LATMON_HAS_LOCAL_RX;
    if ((sample.valid & has_dwell) == has_dwell) {
        context_.dwell.record(sample.local_tx_ns + sample.local_rx_ns);
    }
    emit(context_, sample);
    report_clock(answer);
}

// A step of our own wall clock voids what was claimed, and a suspend makes the offset another one.
void Exchanges::check_own_clock() noexcept {
    const std::uint64_t steps = context_.wall_watch.steps() + context_.wall_watch.suspends();
    if (steps != own_steps_seen_) path_clock_.reset();
    own_steps_seen_ = steps;
}

void Exchanges::report_clock(const Answer& answer) noexcept {
    const Instant now = context_.reactor.arrival().now;
    // Without T3 the offset's middle is wrong by half of what the far end took.
    const bool is_wanted = plan_.clock_report_interval.ns != 0 && answer.peer.has_t3;
    if (!is_wanted || now < next_clock_report_) return;
    const OffsetReading reading =
        path_clock_.read(answer.received.raw, answer.received.wall_minus_raw);
    if (!reading.has_bounds) return;
    next_clock_report_ = now + plan_.clock_report_interval;
    const std::array<std::int64_t, clock_series_names.size()> values{
        reading.offset.ns, reading.offset_lo.ns, reading.offset_hi.ns, reading.skew_ppb,
        reading.residual.ns};
    for (std::uint32_t index = 0; index < clock_series_per_probe; ++index) {
        // An offset without an estimate has bounds and no more.
        const bool is_bound = index == 1 || index == 2;
        if (!is_bound && !reading.has_estimate) continue;
        Sample sample = make_sample(LATMON_KIND_NODE, LATMON_STATUS_OK, LATMON_PROTOCOL_NONE);
        sample.series_id = plan_.clock_series_id + index;
        sample.core = context_.core_index;
        sample.time_ns = context_.reactor.arrival().wall.ns;
        sample.value = values[index];
        sample.valid = LATMON_HAS_VALUE;
        context_.outlet.emit(sample);
    }
}

}  // namespace latmon
