// SPDX-License-Identifier: Apache-2.0
//
// Exchanges from slot to reply; see exchanges.hpp. How an answer becomes a sample is in
// exchanges_answer.cpp.
#include "probe/exchanges.hpp"

#include "base/assert.hpp"
#include "probe/sample_fields.hpp"
#include "wire/auth.hpp"
#include "wire/tlv_request.hpp"

#include <algorithm>

namespace latmon {
namespace {

// Over UDP a number of the ancestor's must not be given again while a reply to its former probe may
// be believed; a stream keeps its order.
Duration ancestor_timeout(const ProbePlan& plan) noexcept {
    const Duration longest = plan.interval * limits::ancestor_in_flight_max;
    return plan.kind == ProbeKind::udp ? std::min(plan.timeout, longest) : plan.timeout;
}

}  // namespace

Exchanges::Exchanges(CoreContext& context, const ProbePlan& plan, ProbeCounters& counters,
                     std::span<Flight> slots, const DropSource* drop_source) noexcept
    : context_(context),
      plan_(plan),
      counters_(counters),
      drop_source_(drop_source),
      key_(key_of(context, plan)),
      flights_(slots),
      ledger_(plan.reflector_mode, plan.timeout),
      path_clock_(plan.drift_ppb),
      timeout_(plan.timeout),
      ancestor_timeout_(ancestor_timeout(plan)),
      loss_wait_{std::clamp(plan.interval.ns * limits::loss_wait_intervals,
                            limits::loss_wait_ns_min, limits::loss_wait_ns_max)},
      protocol_(plan.kind == ProbeKind::udp ? LATMON_PROTOCOL_UDP : LATMON_PROTOCOL_TCP),
      dialect_(plan.protocol, plan.is_ancestor_first, plan.interval) {
    begin_stretch();
    if (plan.tlvs == 0) return;
    const TlvLayout layout = layout_tlvs(plan.tlvs, static_cast<std::uint32_t>(base_bytes_of(key_)),
                                         plan.size_bytes, key_ != nullptr);
    tlv_bytes_ = layout.padding_bytes > 0 ? layout.padding_at : layout.tlv_bytes;
}

// -- The path -----------------------------------------------------------------------------------

void Exchanges::on_path_opened() noexcept {
    finish_held();
    // The reflector counts anew; what it said about the path before says nothing about this one.
    dialect_.on_path_opened();
    if (has_answered_on_path_) stretch_first_ = flights_.next();
    restart_ledger();
    numbers_.restart();
    path_first_ = flights_.next();
    path_clock_.reset();
    consecutive_failures_ = 0;
    drops_seen_ = 0;
    has_answered_on_path_ = false;
    has_answered_ = false;  // The order of replies means nothing across paths.
    has_tx_stamps_ = false;
    has_rx_stamps_ = false;
    gives_exact_t2_ = false;
    gives_follow_up_ = false;
    has_peer_epoch_ = false;
    peer_steady_from_ = {};
    is_peer_latmon_ = false;
    is_ssid_zero_ = false;
    early_follow_up_.reset();
}

void Exchanges::stop() noexcept {
    is_stopping_ = true;
    finish_held();
    tell_invalid();
    settle_overdue(context_.reactor.clock().now());
}

void Exchanges::close() noexcept {
    LATMON_ASSERT(is_stopping_ && flights_.outstanding() == 0);
    finish_held();
    tell_invalid();
    settle_overdue(context_.reactor.clock().now());
    context_.reactor.timers().disarm(timer_);
}

void Exchanges::on_path_lost(int error_number) noexcept {
    for (Flight* flight = flights_.oldest(); flight != nullptr; flight = flights_.oldest()) {
        if (flight == opened_) break;  // The newest; its own send will tell.
        refuse(*flight, error_number);
    }
}

// -- Sending ------------------------------------------------------------------------------------

SenderPacket Exchanges::open(Instant due) noexcept {
    return packet_of(begin(due, true));
}

SenderPacket Exchanges::open_descriptor() noexcept {
    return packet_of(begin(context_.reactor.clock().now(), false));
}

Flight& Exchanges::begin(Instant due, bool is_measuring) noexcept {
    LATMON_ASSERT(opened_ == nullptr);
    tell_invalid();
    const Flight& former = flights_.next_slot();
    if (former.state == Flight::State::lost && !former.is_reported) {
        ledger_.settle_without_answer(flights_, former.sequence, std::nullopt, *this);
    }
    Flight& flight = flights_.begin();
    flight.due = due;
    flight.is_measuring = is_measuring;
    opened_ = &flight;
    stamp_now(flight);
    return flight;
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
    const Flight& flight = *opened_;
    opened_ = nullptr;
    if (flight.is_measuring) counters_.sent.add(1);
    arm_at(expiry_of(flight));
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
    ++consecutive_failures_;
    if (!flight.is_measuring) return;
    counters_.local_error.add(1);
    set_error(sample, error_number);
    emit(context_, sample);
}

void Exchanges::on_slot_without_path(Instant due, int error_number) noexcept {
    counters_.local_error.add(1);
    tell_slot(due, LATMON_STATUS_LOCAL_ERROR, error_number);
}

// It has a number, so that losses in a row are seen as such.
void Exchanges::on_slot_refused(Instant due, int error_number) noexcept {
    counters_.sent.add(1);
    counters_.unreachable.add(1);
    if (opened_ != nullptr) {  // A send of the path that broke has not ended yet.
        tell_slot(due, LATMON_STATUS_UNREACHABLE, error_number);
        return;
    }
    Flight& flight = begin(due, true);
    opened_ = nullptr;
    flights_.end(flight, Flight::State::lost);
    Sample sample = sample_of(flight, LATMON_STATUS_UNREACHABLE);
    sample.valid &= ~LATMON_HAS_T1;
    sample.t1_ns = 0;
    sample.t1_stamp = LATMON_STAMP_NONE;
    set_error(sample, error_number);
    emit(context_, sample);
}

// Of a slot for which nothing was opened.
void Exchanges::tell_slot(Instant due, latmon_status_t status, int error_number) noexcept {
    tell_invalid();
    Sample sample = blank_sample(status);
    const Clock& clock = context_.reactor.clock();
    set_schedule(sample, clock.wall_now(), due, clock.now() - due, clock.now());
    set_error(sample, error_number);
    emit(context_, sample);
}

void Exchanges::stamp_now(Flight& flight) noexcept {
    const Clock& clock = context_.reactor.clock();
    flight.lateness = clock.now() - flight.due;
    const ClockPair pair = read_pair(clock);  // Last: nearest to the send call.
    flight.sent_raw = pair.raw;
    flight.wall_minus_raw = pair.wall_minus_raw();
    flight.uncertainty = pair.uncertainty;
    flight.t1 =
        context_.own_clock.encode_time(pair.wall, plan_.timestamp_format == TimestampFormat::ptp);
}

SenderPacket Exchanges::packet_of(const Flight& flight) noexcept {
    const bool is_ptp = plan_.timestamp_format == TimestampFormat::ptp;
    return {
        .sequence = flight.sequence,
        .t1 = flight.t1,
        .error_estimate = context_.own_clock.error_estimate(flight.due + flight.lateness, is_ptp),
        .ssid = plan_.ssid};
}

// -- Replies ------------------------------------------------------------------------------------

std::optional<ReflectorPacket> Exchanges::read_reply(
    std::span<const std::byte> packet) const noexcept {
    // Verified before anything in it is believed (RFC 8762 section 4.4).
    if (key_ != nullptr && !verify_auth(packet, *key_)) {
        context_.counters.unauthenticated.add(1);
        return std::nullopt;
    }
    return decode_reflector(packet, key_);
}

void Exchanges::on_reply(std::span<const std::byte> packet, const ReplyPath& path) noexcept {
    note_arrival(path);
    const std::optional<ReflectorPacket> reply = read_reply(packet);
    if (!reply) {
        counters_.invalid.add(1);
        return;
    }
    Flight* const flight = flights_.find(reply->sender_sequence);
    // The echoed T1 is the nonce that somebody off the path cannot know. Of a probe so old that its
    // T1 is forgotten nobody can say whether this is its reply.
    if (flight == nullptr || flight->is_ancestor) {
        counters_.invalid.add(1);
        return;
    }
    if (reply->sender_t1 != flight->t1 && !plan_.lenient_echo) {
        counters_.invalid.add(1);
        return;
    }
    dialect_.on_answer(Dialect::stamp);
    follow_dialect();
    if (is_in_time(*flight, path)) {
        answer(*flight, *reply, packet, path);
    } else {
        tell_come_back(*flight, reply->sequence);
    }
}

void Exchanges::note_arrival(const ReplyPath& path) noexcept {
    note_drops(path);
    if (path.has_kernel_time || path.has_card_time) counters_.stamped_rx.add(1);
}

// Whether a reply that has come is the first to this exchange, and within its time.
bool Exchanges::is_in_time(Flight& flight, const ReplyPath& path) noexcept {
    if (&flight == opened_) {
        on_sent();
        is_sent_proved_ = true;
    }
    if (flight.state == Flight::State::outstanding && has_timed_out(flight, path)) expire(flight);
    return flight.state == Flight::State::outstanding;
}

// By the kernel's word on when it arrived, if it has one: that we read it late is not the
// network's doing.
bool Exchanges::has_timed_out(const Flight& flight, const ReplyPath& path) const noexcept {
    const LoopStamp& arrival = context_.reactor.arrival();
    const Duration timeout = timeout_of(flight);
    const Duration passed = arrival.raw - flight.sent_raw;
    if (passed <= timeout || !path.has_kernel_time) return passed > timeout;
    const WallTime kernel = context_.reactor.clock().wall_of_kernel(path.kernel_time);
    // A clock that was set meanwhile does not tell how long the reply lay here.
    if (context_.wall_watch.may_precede_change(kernel)) return true;
    const Duration dwell = arrival.wall - kernel;
    const bool is_dwell = dwell.ns > 0 && dwell < passed;
    return !is_dwell || passed - dwell > timeout;
}

// A reply to an exchange that has ended.
void Exchanges::tell_come_back(Flight& flight, std::uint32_t peer_sequence) noexcept {
    ledger_.note_extra_reply(flight, peer_sequence);
    if (flight.state == Flight::State::answered) {
        if (!flight.is_measuring) return;
        counters_.duplicate.add(1);
        emit(context_, sample_of(flight, LATMON_STATUS_DUPLICATE));
        return;
    }
    if (!flight.is_reported) {  // Neither way lost it: it was slow.
        flight.is_reported = true;
        if (flight.is_measuring) emit(context_, sample_of(flight, LATMON_STATUS_LOST));
    }
    if (!flight.is_measuring) return;
    counters_.late.add(1);
    emit(context_, sample_of(flight, LATMON_STATUS_LATE));
}

// What came since the last time and was no reply: anybody may send any number of those, so that
// each by itself would crowd out samples that mean something.
void Exchanges::tell_invalid() noexcept {
    const std::uint64_t count = counters_.invalid.read() - invalid_told_;
    if (count == 0) return;
    invalid_told_ += count;
    Sample sample = blank_sample(LATMON_STATUS_INVALID);
    sample.packet_bytes = 0;  // Each has its own.
    sample.value = static_cast<std::int64_t>(count);
    sample.valid |= LATMON_HAS_VALUE;
    emit(context_, sample);
}

void Exchanges::note_drops(const ReplyPath& path) noexcept {
    if (!path.has_drops || path.drops == drops_seen_) return;
    context_.counters.socket_drops.add(path.drops - drops_seen_);
    context_.reactor.note_overflow();
    drops_seen_ = path.drops;
}

void Exchanges::on_refused(const SenderPacket& packet, int error_number) noexcept {
    Flight* const flight = flights_.find(packet.sequence);
    if (flight == nullptr || flight == opened_ || flight->t1 != packet.t1) return;
    if (flight->is_ancestor) return;
    if (flight->state == Flight::State::outstanding) refuse(*flight, error_number);
}

void Exchanges::refuse(Flight& flight, int error_number) noexcept {
    flights_.end(flight, Flight::State::lost);
    ++consecutive_failures_;
    if (!flight.is_measuring) return;
    counters_.unreachable.add(1);
    Sample sample = sample_of(flight, LATMON_STATUS_UNREACHABLE);
    set_error(sample, error_number);
    emit(context_, sample);
}

// -- Running out of time ------------------------------------------------------------------------

void Exchanges::arm_at(Instant deadline) noexcept {
    const bool is_armed = timer_.heap_index != Timer::not_armed;
    if (!is_armed || deadline < timer_.deadline) {
        context_.reactor.timers().arm(timer_, deadline);
    }
}

void Exchanges::arm_timer() noexcept {
    // One that has not left yet does not run out of time; on_sent() arms the timer for it.
    const Flight* const oldest = flights_.oldest();
    if (oldest != nullptr && oldest != opened_) arm_at(expiry_of(*oldest));
    if (held_) arm_at(held_->stamps.wait_until);
    const Flight* const unreported = ledger_.oldest_unreported(flights_);
    if (unreported != nullptr) arm_at(expiry_of(*unreported) + loss_wait_);
}

// With nothing to wait for it would fire for nothing: a wake-up, and, where there are thousands of
// probes, one that no cache holds.
void Exchanges::disarm_timer() noexcept {
    const bool has_to_wait = flights_.outstanding() != 0 || held_.has_value() ||
                             ledger_.oldest_unreported(flights_) != nullptr;
    if (!has_to_wait) context_.reactor.timers().disarm(timer_);
}

void Exchanges::on_timer(Instant now) noexcept {
    if (is_stopping_) tell_invalid();  // There is no next probe.
    for (Flight* oldest = flights_.oldest(); oldest != nullptr; oldest = flights_.oldest()) {
        if (oldest == opened_ || expiry_of(*oldest) > now) break;
        expire(*oldest);
    }
    if (held_ && held_->stamps.wait_until <= now) {
        // Nothing is to rest on stamps, such as the grouping of sends, that do not come any more.
        if (held_->stamps.waits_for_tx_stamp) has_tx_stamps_ = false;
        finish_held();
    }
    settle_overdue(now);
    arm_timer();
}

void Exchanges::expire(Flight& flight) noexcept {
    flights_.end(flight, Flight::State::lost);
    flight.is_reported = false;
    if (flight.is_measuring) counters_.lost.add(1);
    ++consecutive_failures_;
    // What was sent before we changed says nothing about what we speak now.
    if (static_cast<std::int32_t>(flight.sequence - stretch_first_) < 0) return;
    dialect_.on_silence();
    follow_dialect();
}

// Tells losses that have waited long enough for an answer to enclose them.
void Exchanges::settle_overdue(Instant now) noexcept {
    ledger_.settle(flights_, *this);
    const Flight* overdue = nullptr;
    Flight* const oldest = ledger_.oldest_unreported(flights_);
    if (oldest == nullptr) return;
    for (std::uint32_t sequence = oldest->sequence; sequence != flights_.next(); ++sequence) {
        const Flight* const flight = flights_.find(sequence);
        if (flight == nullptr || flight->state == Flight::State::outstanding) break;
        const bool is_due = is_stopping_ || expiry_of(*flight) + loss_wait_ <= now;
        if (!is_due) break;
        if (!flight->is_reported) overdue = flight;
    }
    if (overdue == nullptr) return;
    const std::optional<std::uint32_t> drops =
        drop_source_ == nullptr ? std::nullopt : drop_source_->receive_drops();
    ledger_.settle_without_answer(flights_, overdue->sequence, drops, *this);
}

void Exchanges::on_loss(Flight& flight, LossAddress address) noexcept {
    if (!flight.is_measuring) return;
    latmon_status_t status = LATMON_STATUS_LOST;
    switch (address) {
        case LossAddress::unknown:
            break;
        case LossAddress::forward:
            status = LATMON_STATUS_LOST_FORWARD;
            counters_.lost_forward.add(1);
            break;
        case LossAddress::reverse:
            status = LATMON_STATUS_LOST_REVERSE;
            counters_.lost_reverse.add(1);
            break;
        case LossAddress::local_tx:
            status = LATMON_STATUS_LOST_LOCAL_TX;
            counters_.lost_local_tx.add(1);
            break;
        case LossAddress::local_rx:
            status = LATMON_STATUS_LOST_LOCAL_RX;
            counters_.lost_local_rx.add(1);
            break;
    }
    emit(context_, sample_of(flight, status));
}

// -- Samples ------------------------------------------------------------------------------------

Sample Exchanges::blank_sample(latmon_status_t status) const noexcept {
    Sample sample = make_sample(LATMON_KIND_EXCHANGE, status, protocol_);
    sample.series_id = plan_.series_id;
    sample.core = context_.core_index;
    sample.packet_bytes = plan_.size_bytes;
    sample.time_ns = context_.reactor.clock().wall_now().ns;
    set_peer_fields(sample, peer_, plan_.ssid);
    return sample;
}

Sample Exchanges::sample_of(const Flight& flight, latmon_status_t status) const noexcept {
    Sample sample = blank_sample(status);
    const Clock& clock = context_.reactor.clock();
    set_schedule(sample, WallTime{sample.time_ns}, flight.due, flight.lateness, clock.now());
    sample.valid |= LATMON_HAS_SEQUENCE | LATMON_HAS_T1;
    sample.sequence = flight.sequence;
    if (flight.is_ancestor) {
        sample.packet_bytes = ancestor_bytes_;
        sample.ssid = 0;
    }
    const bool has_kernel = flight.t1_source != StampSource::none;
    sample.t1_ns = has_kernel ? flight.t1_kernel.ns : flight.t1_user().ns;
    sample.t1_stamp = has_kernel ? LATMON_STAMP_KERNEL : LATMON_STAMP_USER;
    sample.blame = blame_since(context_, flight.sent_raw, flight.lateness);
    return sample;
}

}  // namespace latmon
