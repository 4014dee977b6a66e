// SPDX-License-Identifier: Apache-2.0
//
// The loop of a core-thread: wait for the next deadline or a completion, take the time once, hand
// out what completed, fire what is due. It knows operations and timers, not probes.
//
//   turn:  wait until the next deadline -> stamp -> drain -> dispatch -> fire due timers
//
// Callbacks are called from here and nowhere else, never from within another callback, so that
// recursion is impossible by construction. Nothing allocates after construction.
#pragma once

#include "base/limits.hpp"
#include "base/log_histogram.hpp"
#include "base/time.hpp"
#include "reactor/pacing.hpp"
#include "reactor/ring.hpp"
#include "reactor/timers.hpp"

#include <array>
#include <cstdint>

namespace latmon {

// One look at all three clocks.
struct LoopStamp {
    Instant now;
    RawInstant raw;
    WallTime wall;         // Read together with `raw`: their difference is right within
    Duration uncertainty;  // so much.

    [[nodiscard]] constexpr Duration wall_minus_raw() const noexcept {
        return Duration{wall.ns - raw.ns};
    }
};

struct ReactorCounters {
    std::uint64_t turns = 0;
    std::uint64_t timers_fired = 0;
    std::uint64_t stalls = 0;          // Turns, or sleeps' ends, that took loop_stall_ns too long.
    std::uint64_t steals = 0;          // Stalls during which the hypervisor took our CPU.
    std::uint64_t spun_ns = 0;         // Awake until a deadline, instead of asleep.
    std::uint64_t overflows = 0;       // Completions queued aside, or receive buffers used up.
    std::int64_t lateness_ns_max = 0;  // Of any timer, since start.
};

class Reactor {
public:
    // Told of every arrival before its completions are handed out: whatever has to be known about
    // the clocks by then is to be found out here.
    class Observer {
    public:
        virtual void on_arrival(const LoopStamp& arrival) noexcept = 0;

    protected:
        ~Observer() = default;
    };

    // `cpu` is the CPU that it runs on, for telling whether the hypervisor took it away.
    Reactor(Ring& ring, const Clock& clock, Pacing::Mode mode, std::uint32_t timers_max,
            std::uint32_t cpu = 0);
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;

    // At most one; it outlives the reactor. [set-up]
    void set_observer(Observer* observer) noexcept { observer_ = observer; }

    // For so long a completion may lie where nothing depends on when it is read, as where the
    // kernel stamps what arrives: several are then handed out at one awakening, which costs as much
    // as ten probes. Zero, which it is at first: each ends a sleep at once. [core-thread]
    void set_patience(Duration patience) noexcept { patience_ = patience; }
    // Somebody waits for what we do with a completion: for a while there is no patience.
    // [core-thread]
    void ask_for_haste() noexcept { hasty_until_ = arrival_.now + haste; }

    // One turn; waits no longer than until `limit`. [core-thread]
    void turn(Instant limit) noexcept;

    [[nodiscard]] Ring& ring() noexcept { return ring_; }
    [[nodiscard]] Timers& timers() noexcept { return timers_; }
    [[nodiscard]] const Clock& clock() const noexcept { return clock_; }

    // When the completions being dispatched were all known to have arrived: taken once, right after
    // the wait, so that the work for one does not delay the stamp of the next. [core-thread]
    [[nodiscard]] const LoopStamp& arrival() const noexcept { return arrival_; }

    // Whether something went wrong with this loop at or after `since`, for blame bits.
    // [core-thread]
    [[nodiscard]] bool stalled_since(RawInstant since) const noexcept {
        return counters_.stalls > 0 && last_stall_ >= since;
    }
    [[nodiscard]] bool overflowed_since(RawInstant since) const noexcept {
        return counters_.overflows > 0 && last_overflow_ >= since;
    }
    // The hypervisor ran somebody else on our CPU, and it showed as a stall.
    [[nodiscard]] bool stolen_since(RawInstant since) const noexcept {
        return counters_.steals > 0 && last_steal_ >= since;
    }
    // A send was prepared whose departure the kernel stamps, so that nothing is wrong if it leaves
    // some microseconds later: it is submitted with others of this turn's timers, a few at a time.
    // Outside of a timer it is submitted at once. [core-thread]
    void submit_together() noexcept;

    // A user's receive ended for want of buffers, or a socket's buffer had no room.
    void note_overflow() noexcept;

    [[nodiscard]] const ReactorCounters& counters() const noexcept { return counters_; }
    // How late timers of sends fired since the last clear_lateness().
    [[nodiscard]] const LogHistogram& lateness() const noexcept { return lateness_; }
    void clear_lateness() noexcept { lateness_.clear(); }

private:
    // Whoever asks once every two minutes is still answered at once.
    static constexpr Duration haste = Duration::from_s(130);

    void fire_due() noexcept;
    void wait_for(Instant limit) noexcept;
    void spin_until(Instant deadline) noexcept;
    [[nodiscard]] std::uint32_t dispatch() noexcept;
    void note_stall(Duration took) noexcept;
    Instant look() noexcept;

    Ring& ring_;
    const Clock& clock_;
    Observer* observer_ = nullptr;
    Timers timers_;
    Pacing pacing_;
    Duration patience_{};
    Instant hasty_until_{};
    LoopStamp arrival_;
    ReactorCounters counters_;
    LogHistogram lateness_;
    Instant last_look_{};  // When the loop last knew that it was running; zero: before the first.
    std::uint32_t cpu_;
    RawInstant last_stall_;
    RawInstant last_steal_;
    Duration stolen_;  // As of the last stall.
    RawInstant last_overflow_;
    std::uint64_t overflows_seen_ = 0;
    std::uint32_t unsubmitted_ = 0;  // Calls of submit_together() since the last submission.
    bool is_firing_ = false;         // Timers fire, and what they prepare is submitted after them.
    std::array<Ready, limits::completion_batch> ready_{};
};

}  // namespace latmon
