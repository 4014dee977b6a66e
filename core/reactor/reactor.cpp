// SPDX-License-Identifier: Apache-2.0
//
// The loop of reactor.hpp.
#include "reactor/reactor.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace latmon {
namespace {

// Timers fired before the ring is looked at again: a burst of deadlines must not keep replies
// waiting.
constexpr std::uint32_t timers_per_turn = 32;

// Batches of completions handed out before timers fire: more may come than can be worked on, and
// probes must leave all the same.
constexpr std::uint32_t dispatches_per_turn = 4;

// Sends that share a system call, which costs as much as half a send: the first of them waits for
// the preparation of the others, about a microsecond each.
constexpr std::uint32_t sends_per_submit = 16;

// A sleep shorter than this costs more than it saves: entering and leaving the kernel takes as
// long.
constexpr Duration sleep_min = Duration::from_us(5);

}  // namespace

Reactor::Reactor(Ring& ring, const Clock& clock, Pacing::Mode mode, std::uint32_t timers_max,
                 std::uint32_t cpu)
    : ring_(ring),
      clock_(clock),
      timers_(timers_max),
      pacing_(mode),
      cpu_(cpu),
      stolen_(clock.stolen(cpu)) {}

void Reactor::turn(Instant limit) noexcept {
    ++counters_.turns;
    wait_for(limit);
    // Before any timer fires: a reply that is already here must not be declared lost.
    for (std::uint32_t round = 0; round < dispatches_per_turn; ++round) {
        if (dispatch() < limits::completion_batch) break;
        ring_.poll();
    }
    fire_due();
}

void Reactor::fire_due() noexcept {
    const Instant began = look();
    Instant now = began;
    is_firing_ = true;
    for (std::uint32_t fired = 0; fired < timers_per_turn; ++fired) {
        Timer* const timer = timers_.first();
        // Not what became due meanwhile: between two firings of one timer the ring is looked at, so
        // that what the first one sent has completed.
        if (timer == nullptr || timer->deadline > began) break;
        const Duration lateness = now - timer->deadline;
        timers_.disarm(*timer);
        ++counters_.timers_fired;
        counters_.lateness_ns_max = std::max(counters_.lateness_ns_max, lateness.ns);
        if (timer->is_send) lateness_.record(lateness.ns);
        timer->on_fire(*timer, now);
        now = look();
    }
    is_firing_ = false;
    if (unsubmitted_ > 0) submit_together();
}

void Reactor::submit_together() noexcept {
    if (is_firing_ && ++unsubmitted_ < sends_per_submit) return;
    unsubmitted_ = 0;
    ring_.submit();
}

void Reactor::wait_for(Instant limit) noexcept {
    const Timer* const next = timers_.first();
    const bool is_timed = next != nullptr && next->deadline < limit;
    const Instant deadline = is_timed ? next->deadline : limit;
    const Instant now = last_look_ = clock_.now();
    if (deadline <= now) {
        note_stall(now - deadline);
        ring_.poll();
        return;
    }
    const bool is_precise = is_timed && next->is_precise;
    const Duration margin = is_precise ? pacing_.margin(now) : Duration{};
    const Instant wake_at = deadline - margin;
    if (!pacing_.never_sleeps() && wake_at - now >= sleep_min) {
        ring_.wait(wake_at, now < hasty_until_ ? Duration{} : patience_);
        const Instant woke = last_look_ = clock_.now();
        if (woke < wake_at) return;  // A completion came first.
        if (is_precise) pacing_.note_wake(woke - wake_at);
        note_stall(woke - wake_at);
        if (woke >= deadline) return;
    }
    // Here there is a margin left to spin, or too little time to sleep, or sleeping is forbidden.
    const Instant began = look();
    spin_until(deadline);
    const Duration spun = clock_.now() - began;
    counters_.spun_ns += static_cast<std::uint64_t>(std::max<std::int64_t>(spun.ns, 0));
    pacing_.note_spin(spun);
}

// Polls the ring until `deadline`, handing out what arrives at once.
void Reactor::spin_until(Instant deadline) noexcept {
    while (look() < deadline) {
        ring_.poll();
        if (dispatch() > 0) {
            const Timer* const next = timers_.first();  // A callback may have armed an earlier one.
            if (next != nullptr && next->deadline < deadline) deadline = next->deadline;
        }
    }
}

std::uint32_t Reactor::dispatch() noexcept {
    const std::uint32_t count = ring_.drain(ready_);
    if (count == 0) return 0;
    // What is in ready_ had arrived before this moment, whatever is done for it below.
    // A pause of this thread until here has made them wait, and is noted before they are judged.
    const Instant now = look();
    const ClockPair pair = read_pair(clock_);
    arrival_ = {.now = now, .raw = pair.raw, .wall = pair.wall, .uncertainty = pair.uncertainty};
    if (observer_ != nullptr) observer_->on_arrival(arrival_);
    if (ring_.counters().completion_overflows != overflows_seen_) {
        overflows_seen_ = ring_.counters().completion_overflows;
        note_overflow();
    }
    for (std::uint32_t index = 0; index < count; ++index) {
        const Ready& ready = ready_[index];
        LATMON_ASSERT(ready.operation != nullptr);
        if (!ready.completion.has_more) ready.operation->is_active = false;
        ready.operation->on_complete(*ready.operation, ready.completion);
    }
    ring_.submit();
    return count;
}

// The time; notes a stall if it is long since the last look, sleeping aside.
Instant Reactor::look() noexcept {
    const Instant now = clock_.now();
    if (last_look_ != Instant{}) note_stall(now - last_look_);
    last_look_ = now;
    return now;
}

void Reactor::note_stall(Duration took) noexcept {
    if (took.ns < limits::loop_stall_ns) return;
    ++counters_.stalls;
    last_stall_ = clock_.raw_now();
    // Only now: the answer costs a system call of some 20 us, and the damage is done.
    const Duration stolen = clock_.stolen(cpu_);
    if (stolen > stolen_) {
        ++counters_.steals;
        last_steal_ = last_stall_;
    }
    stolen_ = stolen;
}

void Reactor::note_overflow() noexcept {
    ++counters_.overflows;
    last_overflow_ = clock_.raw_now();
}

}  // namespace latmon
