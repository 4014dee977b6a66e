// SPDX-License-Identifier: Apache-2.0
//
// The timer that drives one probe through its slots: it fires at each slot's time (plus the slot's
// own share of jitter), says when the slot was due, and counts slots that a stall let pass. Owned
// by one probe; used on its core-thread.
#pragma once

#include "config/plan.hpp"
#include "probe/probe_counters.hpp"
#include "probe/schedule.hpp"
#include "reactor/timers.hpp"

#include <cstdint>

namespace latmon {

class Slots {
public:
    // Whoever has slots. `due` is when the slot was due, `now` when it fired.
    class User {
    public:
        virtual void on_slot(Instant due, Instant now) noexcept = 0;

    protected:
        ~User() = default;
    };

    Slots(Timers& timers, User& user, const ProbePlan& plan, ProbeCounters& counters) noexcept
        : timers_(timers),
          user_(user),
          counters_(counters),
          schedule_(Instant{}, plan.interval),
          interval_(plan.interval),
          phase_(plan.phase),
          jitter_(plan.jitter),
          probes_max_(plan.probes_max),
          random_(0x9e3779b97f4a7c15ULL * (plan.probe_index + 1ULL)),
          timer_(*this, plan.is_precise) {
        timer_.is_send = true;
    }

    void start(Instant origin) noexcept {
        schedule_ = Schedule(origin + phase_, interval_);
        arm();
    }
    void stop() noexcept { timers_.disarm(timer_); }

private:
    void on_fire(Instant now) noexcept {
        const std::uint64_t probes = counters_.sent.read() + counters_.local_error.read();
        if (probes_max_ != 0 && probes >= probes_max_) return;
        const Instant due = timer_.deadline;
        counters_.missed.add(schedule_.advance(now));
        arm();
        user_.on_slot(due, now);
    }

    void arm() noexcept {
        Instant due = schedule_.next();
        if (jitter_.ns > 0) {
            // xorshift64 (Marsaglia 2003): spreads probes, decides nothing.
            random_ ^= random_ << 13U;
            random_ ^= random_ >> 7U;
            random_ ^= random_ << 17U;
            const auto range = static_cast<std::uint64_t>(jitter_.ns) + 1;
            due = due + Duration{static_cast<std::int64_t>(random_ % range)};
        }
        timers_.arm(timer_, due);
    }

    Timers& timers_;
    User& user_;
    ProbeCounters& counters_;
    Schedule schedule_;
    Duration interval_;
    Duration phase_;
    Duration jitter_;
    std::uint64_t probes_max_;
    std::uint64_t random_;
    MethodTimer<&Slots::on_fire> timer_;
};

}  // namespace latmon
