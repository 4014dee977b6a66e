// SPDX-License-Identifier: Apache-2.0
//
// What goes on beside the probes of `latmon ping`, on a thread of its own, because the thread that
// sends must not wait for it: signals, and once a second the state of this host's clock.
#pragma once

#include "clock/clock_survey.hpp"
#include "reactor/ring.hpp"
#include "sample/spsc_queue.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <thread>

namespace latmon {

// Whether SIGINT, SIGTERM and SIGHUP wait to be looked for, or end the process, in this thread and
// those that it starts.
void block_stop_signals(bool is_blocked) noexcept;

class PingWatch {
public:
    // Takes a first look at the clock. `ring` is woken by every signal; it and `clock` outlive
    // this. SIGINT, SIGTERM and SIGHUP must be blocked.
    PingWatch(Ring& ring, const Clock& clock);
    ~PingWatch();
    PingWatch(const PingWatch&) = delete;
    PingWatch& operator=(const PingWatch&) = delete;

    [[nodiscard]] const LocalClock& first_look() const noexcept { return first_look_; }

    // Begins to watch. The three below are for one thread, that of the ring.
    void start();
    // How many signals have come.
    [[nodiscard]] std::uint32_t signals() const noexcept {
        return signals_.load(std::memory_order_acquire);
    }
    // The state of the clock, if there is news.
    [[nodiscard]] std::optional<LocalClock> take_look();

private:
    void run();

    Ring& ring_;
    const Clock& clock_;
    ClockSurvey survey_;  // The watch's own, once it has started.
    LocalClock first_look_;
    SpscQueue<LocalClock> looks_;
    std::atomic<std::uint32_t> signals_{0};  // Written by run(); pairs with signals().
    std::atomic<bool> is_stopping_{false};   // Written by the destructor; pairs with run().
    std::thread thread_;
};

}  // namespace latmon
