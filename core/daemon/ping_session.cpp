// SPDX-License-Identifier: Apache-2.0
//
// When to stop is all there is to it; see ping_session.hpp. A Core sends until it is told not to,
// and from then on waits for nothing that is still to come but answers: no transmit stamp, no later
// answer that tells where a loss fell. So it is told as late as can be, well before the next slot.
#include "daemon/ping_session.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace latmon {
namespace {

// More than come between two turns of the loop.
constexpr std::uint32_t queue_capacity = 16'384;

// Below it there is no time between two slots to wait for anything: a thread may wake a good part
// of a millisecond late.
constexpr Duration patient_interval_min = Duration::from_ms(10);

CoreOptions with_queue(CoreOptions options, SampleQueue& queue) {
    options.consumers = {SampleConsumer(&queue)};
    return options;
}

}  // namespace

PingSession::PingSession(const Plan& plan, CoreOptions options, Ring& ring, const Clock& clock)
    : probe_(plan.cores.front().probes.front()),
      clock_(clock),
      queue_(queue_capacity, kind_bit(LATMON_KIND_EXCHANGE)),
      core_(plan, with_queue(std::move(options), queue_), ring, clock) {}

void PingSession::start(Duration delay, OnSample on_sample) {
    on_sample_ = std::move(on_sample);
    core_.open_paths();
    origin_ = clock_.now() + delay;
    core_.start(origin_);
}

// Slots that became a probe, or would have, had this host let it go.
std::uint64_t PingSession::opened() const noexcept {
    return counters().sent.read() + counters().local_error.read();
}

Instant PingSession::next_due() const noexcept {
    const std::uint64_t came = opened() + counters().missed.read();
    return origin_ + probe_.phase + probe_.interval * static_cast<std::int64_t>(came);
}

bool PingSession::is_time_to_stop(Instant now) const noexcept {
    if (opened() < probe_.probes_max) return false;
    if (probe_.interval < patient_interval_min) return true;
    if (tally_.settled() >= probe_.probes_max) return true;
    return now >= next_due() - probe_.interval / 4;
}

void PingSession::turn(Instant limit) {
    if (!is_stopping_) {
        // That the last probe has left is known a moment later, and must not wait for a next slot.
        const Instant next = next_due();
        if (opened() + 1 == probe_.probes_max) limit = std::min(limit, next + probe_.interval / 2);
        if (opened() >= probe_.probes_max) limit = std::min(limit, next - probe_.interval / 4);
    }
    core_.turn(limit);
    take_samples();
    if (!is_stopping_ && is_time_to_stop(clock_.now())) stop_sending();
}

void PingSession::stop_sending() {
    is_stopping_ = true;
    core_.apply({.kind = CoreCommand::Kind::stop_sending});
    take_samples();
}

void PingSession::interrupt() {
    if (is_stopping_) is_given_up_ = true;
    if (!is_stopping_) stop_sending();
}

bool PingSession::is_done() const noexcept {
    return is_stopping_ && (is_given_up_ || core_.is_idle());
}

void PingSession::take_samples() {
    std::array<Sample, 64> batch;
    while (const std::uint32_t count = queue_.queue.pop_batch(batch)) {
        for (std::uint32_t index = 0; index < count; ++index) {
            tally_.add(batch[index]);
            on_sample_(batch[index]);
        }
    }
}

}  // namespace latmon
