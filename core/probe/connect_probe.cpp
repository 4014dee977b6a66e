// SPDX-License-Identifier: Apache-2.0
//
// The TCP connect probe; see connect_probe.hpp.
#include "probe/connect_probe.hpp"

#include "base/assert.hpp"
#include "probe/open_path.hpp"
#include "probe/sample_fields.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace latmon {
namespace {

// A closed connection stays in TIME_WAIT for 60 s and keeps its port; there are 28,232 by default
// (net.ipv4.ip_local_port_range). Below this interval they would run out, so the connection is
// reset.
constexpr Duration reset_below = Duration::from_ms(5);

}  // namespace

ConnectProbe::Attempt::Attempt(ConnectProbe& the_probe) noexcept
    : Operation([](Operation& operation, const Completion& completion) noexcept {
          Attempt& attempt = static_cast<Attempt&>(operation);
          attempt.probe->on_complete(attempt, completion.result);
      }),
      probe(&the_probe) {}

ConnectProbe::ConnectProbe(CoreContext& context, const ProbePlan& plan, ProbeCounters& counters)
    : context_(context),
      plan_(plan),
      counters_(counters),
      slots_(context.reactor.timers(), *this, plan, counters) {
    const std::size_t count = sockets_of(plan);
    attempts_.reserve(count);
    for (std::size_t index = 0; index < count; ++index) {
        attempts_.push_back(std::make_unique<Attempt>(*this));
    }
}

void ConnectProbe::open_path() noexcept {
    if (plan_.address) set_address(*plan_.address);
}

void ConnectProbe::start(Instant origin) noexcept {
    slots_.start(origin);
}

void ConnectProbe::set_address(const Endpoint& address) noexcept {
    address_ = address;
}

void ConnectProbe::stop_sending() noexcept {
    slots_.stop();
}

// Handshakes that ran out of time were cancelled, and close their sockets themselves.
void ConnectProbe::close() noexcept {
    context_.reactor.timers().disarm(expiry_);
}

bool ConnectProbe::is_closed() const noexcept {
    return std::ranges::none_of(attempts_, [](const auto& attempt) { return attempt->is_active; });
}

void ConnectProbe::on_slot(Instant due, Instant now) noexcept {
    if (address_ == Endpoint{}) {
        report_without_attempt(due, now, LATMON_ERROR_UNRESOLVED);
        return;
    }
    Attempt& attempt = *attempts_[next_sequence_ % attempts_.size()];
    if (attempt.is_active) {  // More handshakes hang than may hang at once.
        report_without_attempt(due, now, EAGAIN);
        return;
    }
    SocketOptions options = path_options(plan_, address_);
    options.is_short_lived = true;
    options.resets_on_close = plan_.interval < reset_below;
    Ring& ring = context_.reactor.ring();
    const Outcome<SocketId> socket = ring.open_tcp(options);
    if (!socket) {
        report_without_attempt(due, now, socket.error());
        return;
    }
    attempt.socket = *socket;
    attempt.sequence = next_sequence_++;
    attempt.due = due;
    attempt.is_expired = false;
    attempt.address = address_;
    attempt.lateness = context_.reactor.clock().now() - due;
    attempt.sent_wall = context_.reactor.clock().wall_now();
    attempt.sent_raw = context_.reactor.clock().raw_now();
    ring.prepare_connect(attempt, attempt.socket, address_);
    ring.submit();
    ++active_count_;
    if (expiry_.heap_index == Timer::not_armed) arm_expiry();
}

void ConnectProbe::on_complete(Attempt& attempt, int result) noexcept {
    context_.reactor.ring().close(attempt.socket);
    attempt.socket = no_socket;
    const Duration passed = context_.reactor.arrival().raw - attempt.sent_raw;
    if (!attempt.is_expired && passed > plan_.timeout) expire(attempt);
    if (attempt.is_expired) {
        // Reported lost when its time was up; a handshake that was completed after that is late.
        if (result >= 0) {
            counters_.late.add(1);
            report(attempt, LATMON_STATUS_LATE, result);
        }
        return;
    }
    --active_count_;
    if (is_local_error(-result)) {
        counters_.local_error.add(1);
        report(attempt, LATMON_STATUS_LOCAL_ERROR, result);
        return;
    }
    counters_.sent.add(1);
    if (result >= 0) {
        counters_.answered.add(1);
        report(attempt, LATMON_STATUS_OK, result);
    } else {
        counters_.unreachable.add(1);
        report(attempt, LATMON_STATUS_UNREACHABLE, result);
    }
}

// -- Running out of time ------------------------------------------------------------------------

// Attempts are few, and this runs once per timeout: a plain search.
ConnectProbe::Attempt* ConnectProbe::oldest_pending() noexcept {
    Attempt* oldest = nullptr;
    for (const std::unique_ptr<Attempt>& attempt : attempts_) {
        if (!attempt->is_active || attempt->is_expired) continue;
        if (oldest == nullptr || attempt->due < oldest->due) oldest = attempt.get();
    }
    return oldest;
}

void ConnectProbe::arm_expiry() noexcept {
    const Attempt* const oldest = oldest_pending();
    if (oldest == nullptr) return;
    context_.reactor.timers().arm(expiry_, oldest->due + oldest->lateness + plan_.timeout);
}

void ConnectProbe::on_expiry(Instant now) noexcept {
    for (Attempt* attempt = oldest_pending(); attempt != nullptr; attempt = oldest_pending()) {
        if (attempt->due + attempt->lateness + plan_.timeout > now) break;
        expire(*attempt);
        context_.reactor.ring().prepare_cancel(*attempt);
    }
    context_.reactor.ring().submit();
    arm_expiry();
}

void ConnectProbe::expire(Attempt& attempt) noexcept {
    attempt.is_expired = true;
    --active_count_;
    counters_.sent.add(1);
    counters_.lost.add(1);
    report(attempt, LATMON_STATUS_LOST, 0);
}

// -- Samples ------------------------------------------------------------------------------------

Sample ConnectProbe::blank_sample(latmon_status_t status) const noexcept {
    Sample sample = make_sample(LATMON_KIND_CONNECT, status, LATMON_PROTOCOL_TCP);
    sample.series_id = plan_.series_id;
    sample.core = context_.core_index;
    sample.time_ns = context_.reactor.clock().wall_now().ns;
    set_peer_fields(sample, address_, 0);
    return sample;
}

void ConnectProbe::report_without_attempt(Instant due, Instant now, int error_number) noexcept {
    counters_.local_error.add(1);
    Sample sample = blank_sample(LATMON_STATUS_LOCAL_ERROR);
    set_schedule(sample, WallTime{sample.time_ns}, due, now - due, now);
    set_error(sample, error_number);
    emit(context_, sample);
}

void ConnectProbe::report(const Attempt& attempt, latmon_status_t status, int result) noexcept {
    Sample sample = blank_sample(status);
    set_peer_fields(sample, attempt.address, 0);
    set_schedule(sample, attempt.sent_wall, attempt.due, attempt.lateness,
                 attempt.due + attempt.lateness);
    sample.sequence = attempt.sequence;
    sample.t1_ns = attempt.sent_wall.ns;
    sample.t1_stamp = LATMON_STAMP_USER;
    sample.valid |= LATMON_HAS_SEQUENCE | LATMON_HAS_T1;
    sample.blame = blame_since(context_, attempt.sent_raw, attempt.lateness);
    if (result < 0) set_error(sample, -result);
    if (status == LATMON_STATUS_OK) {
        const LoopStamp& arrival = context_.reactor.arrival();
        sample.t4_ns = arrival.wall.ns;
        sample.t4_stamp = LATMON_STAMP_USER;
        sample.valid |= LATMON_HAS_T4;
        const Duration rtt = arrival.raw - attempt.sent_raw;
        sample.rtt_ns = rtt.ns;
        sample.rtt_user_ns = rtt.ns;
        sample.valid |= LATMON_HAS_RTT | LATMON_HAS_RTT_USER;
        // The round trip is by a clock that does not jump: if our wall stamps disagree with it,
        // they do.
        if (std::abs(sample.t4_ns - sample.t1_ns - rtt.ns) > limits::clock_step_ns) {
            sample.blame |= LATMON_BLAME_CLOCK_STEPPED;
        }
    }
    emit(context_, sample);
}

}  // namespace latmon
