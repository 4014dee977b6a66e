// SPDX-License-Identifier: Apache-2.0
//
// Exchanges from slot to sample; see exchanges.hpp.
#include "probe/exchanges.hpp"

#include "base/assert.hpp"
#include "probe/sample_fields.hpp"

#include <algorithm>

namespace latmon {

Exchanges::Exchanges(CoreContext& context, const ProbePlan& plan, ProbeCounters& counters,
                     std::span<Flight> slots) noexcept
    : context_(context),
      counters_(counters),
      flights_(slots),
      timeout_(plan.timeout),
      series_id_(plan.probe_index),
      packet_bytes_(plan.size_bytes),
      ssid_(plan.ssid),
      protocol_(plan.kind == ProbeKind::udp ? LATMON_PROTOCOL_UDP : LATMON_PROTOCOL_TCP),
      wants_rtt_(plan.wants_rtt) {}

// -- Sending ------------------------------------------------------------------------------------

SenderPacket Exchanges::open(Instant due) noexcept {
    LATMON_ASSERT(opened_ == nullptr);
    Flight& flight = flights_.begin();
    flight.due = due;
    opened_ = &flight;
    stamp_now(flight);
    return packet_of(flight);
}

SenderPacket Exchanges::reopen_last() noexcept {
    LATMON_ASSERT(opened_ != nullptr);
    stamp_now(*opened_);
    return packet_of(*opened_);
}

void Exchanges::on_sent() noexcept {
    if (is_sent_proved_) {  // The reply was faster than the news that the probe had left.
        is_sent_proved_ = false;
        return;
    }
    LATMON_ASSERT(opened_ != nullptr);
    opened_ = nullptr;
    counters_.sent.add(1);
    if (expiry_.heap_index == Timer::not_armed) arm_expiry();
}

void Exchanges::on_send_failed(int error_number) noexcept {
    if (is_sent_proved_) {  // The host says it failed, yet it was answered: a copy had left.
        is_sent_proved_ = false;
        return;
    }
    LATMON_ASSERT(opened_ != nullptr);
    Flight& flight = *opened_;
    opened_ = nullptr;
    Sample sample = sample_of(flight, LATMON_STATUS_LOCAL_ERROR);
    flights_.end(flight, Flight::State::lost);
    counters_.local_error.add(1);
    ++consecutive_failures_;
    set_error(sample, error_number);
    context_.outlet.emit(sample);
}

void Exchanges::on_slot_without_path(Instant due, int error_number) noexcept {
    counters_.local_error.add(1);
    Sample sample = blank_sample(LATMON_STATUS_LOCAL_ERROR);
    const Clock& clock = context_.reactor.clock();
    set_schedule(sample, clock.wall_now(), due, clock.now() - due, clock.now());
    set_error(sample, error_number);
    context_.outlet.emit(sample);
}

void Exchanges::stamp_now(Flight& flight) noexcept {
    const Clock& clock = context_.reactor.clock();
    flight.lateness = clock.now() - flight.due;
    const WallTime wall = clock.wall_now();
    flight.t1 = to_ntp(wall);
    flight.sent_raw = clock.raw_now();  // Last: nearest to the send call.
}

SenderPacket Exchanges::packet_of(const Flight& flight) const noexcept {
    return {.sequence = flight.sequence,
            .t1 = flight.t1,
            .error_estimate = context_.error_estimate,
            .ssid = ssid_};
}

// -- Replies ------------------------------------------------------------------------------------

void Exchanges::on_reply(std::span<const std::byte> packet, const ReplyPath& path) noexcept {
    const std::optional<ReflectorPacket> reply = decode_reflector(packet);
    if (!reply) {
        counters_.invalid.add(1);
        return;
    }
    Flight* const flight = flights_.find(reply->sender_sequence);
    if (flight == nullptr) {
        // So old that its T1 is forgotten: it may be counted, but not measured.
        const bool is_past = flights_.is_past(reply->sender_sequence);
        (is_past ? counters_.late : counters_.invalid).add(1);
        return;
    }
    // The echoed T1 is the nonce that somebody off the path cannot know.
    if (reply->sender_t1 != flight->t1) {
        counters_.invalid.add(1);
        return;
    }
    if (flight == opened_) {
        on_sent();
        is_sent_proved_ = true;
    }
    const Duration passed = context_.reactor.arrival().raw - flight->sent_raw;
    if (flight->state == Flight::State::outstanding && passed > timeout_) expire(*flight);
    if (flight->state == Flight::State::outstanding) {
        answer(*flight, *reply, path);
        return;
    }
    const bool is_late = flight->state == Flight::State::lost;
    (is_late ? counters_.late : counters_.duplicate).add(1);
    context_.outlet.emit(
        sample_of(*flight, is_late ? LATMON_STATUS_LATE : LATMON_STATUS_DUPLICATE));
}

void Exchanges::answer(Flight& flight, const ReflectorPacket& reply,
                       const ReplyPath& path) noexcept {
    const bool is_reordered =
        has_answered_ && static_cast<std::int32_t>(flight.sequence - highest_answered_) < 0;
    if (!is_reordered) highest_answered_ = flight.sequence;
    has_answered_ = true;
    has_answered_on_path_ = true;
    consecutive_failures_ = 0;
    flights_.end(flight, Flight::State::answered);
    counters_.answered.add(1);
    if (is_reordered) counters_.reordered.add(1);

    Sample sample = sample_of(flight, is_reordered ? LATMON_STATUS_REORDERED : LATMON_STATUS_OK);
    const LoopStamp& arrival = context_.reactor.arrival();
    set_stamps(sample, flight.t1, reply, arrival.wall);
    if (wants_rtt_) set_round_trip(sample, arrival.raw - flight.sent_raw);
    set_path(sample, reply, path);
    sample.packet_bytes = path.packet_bytes;
    context_.outlet.emit(sample);
}

void Exchanges::on_refused(const SenderPacket& packet, int error_number) noexcept {
    Flight* const flight = flights_.find(packet.sequence);
    if (flight == nullptr || flight == opened_ || flight->t1 != packet.t1) return;
    if (flight->state == Flight::State::outstanding) refuse(*flight, error_number);
}

void Exchanges::on_path_lost(int error_number) noexcept {
    for (Flight* flight = flights_.oldest(); flight != nullptr; flight = flights_.oldest()) {
        if (flight == opened_) break;  // The newest; its own send will tell.
        refuse(*flight, error_number);
    }
}

void Exchanges::refuse(Flight& flight, int error_number) noexcept {
    flights_.end(flight, Flight::State::lost);
    counters_.unreachable.add(1);
    ++consecutive_failures_;
    Sample sample = sample_of(flight, LATMON_STATUS_UNREACHABLE);
    set_error(sample, error_number);
    context_.outlet.emit(sample);
}

// -- Running out of time ------------------------------------------------------------------------

void Exchanges::arm_expiry() noexcept {
    const Flight* const oldest = flights_.oldest();
    // One that has not left yet does not run out of time; on_sent() arms the timer for it.
    if (oldest == nullptr || oldest == opened_) return;
    context_.reactor.timers().arm(expiry_, oldest->due + oldest->lateness + timeout_);
}

void Exchanges::on_expiry(Instant now) noexcept {
    for (Flight* oldest = flights_.oldest(); oldest != nullptr; oldest = flights_.oldest()) {
        if (oldest == opened_ || oldest->due + oldest->lateness + timeout_ > now) break;
        expire(*oldest);
    }
    arm_expiry();
}

void Exchanges::expire(Flight& flight) noexcept {
    flights_.end(flight, Flight::State::lost);
    counters_.lost.add(1);
    ++consecutive_failures_;
    context_.outlet.emit(sample_of(flight, LATMON_STATUS_LOST));
}

// -- Samples ------------------------------------------------------------------------------------

Sample Exchanges::blank_sample(latmon_status_t status) const noexcept {
    Sample sample = make_sample(LATMON_KIND_EXCHANGE, status, protocol_);
    sample.series_id = series_id_;
    sample.core = context_.core_index;
    sample.packet_bytes = packet_bytes_;
    sample.time_ns = context_.reactor.clock().wall_now().ns;
    set_peer_fields(sample, peer_, ssid_);
    return sample;
}

Sample Exchanges::sample_of(const Flight& flight, latmon_status_t status) const noexcept {
    Sample sample = blank_sample(status);
    const Clock& clock = context_.reactor.clock();
    set_schedule(sample, WallTime{sample.time_ns}, flight.due, flight.lateness, clock.now());
    sample.valid |= LATMON_HAS_SEQUENCE | LATMON_HAS_T1;
    sample.sequence = flight.sequence;
    sample.t1_ns = from_ntp(flight.t1, WallTime{sample.time_ns}).ns;
    sample.t1_stamp = LATMON_STAMP_USER;
    sample.blame = blame_since(context_, flight.sent_raw, flight.lateness);
    return sample;
}

}  // namespace latmon
