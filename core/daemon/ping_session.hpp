// SPDX-License-Identifier: Apache-2.0
//
// Runs one probe on a Core until so many of it have met their fate: over io_uring for `latmon
// ping`, over a simulated network in a test. It knows no signals, no terminal and no names. One
// thread.
#pragma once

#include "daemon/core.hpp"
#include "daemon/ping_tally.hpp"

#include <cstdint>
#include <functional>

namespace latmon {

class PingSession {
public:
    using OnSample = std::function<void(const Sample&)>;

    // `plan` is of make_ping_plan(); it, `ring` and `clock` outlive this. `options.consumers` is
    // set here. `on_sample` is told of every exchange as it comes, in the order in which they come.
    PingSession(const Plan& plan, CoreOptions options, Ring& ring, const Clock& clock);
    PingSession(const PingSession&) = delete;
    PingSession& operator=(const PingSession&) = delete;

    // Opens the path, and sends the first of the plan's `probes_max` probes after `delay`.
    void start(Duration delay, OnSample on_sample);

    // One turn; waits no longer than until `limit`.
    void turn(Instant limit);

    // Sends no more and waits for what is in flight; the second time not even for that.
    void interrupt();

    // Every probe sent has met its fate, or nobody waits for it any more.
    [[nodiscard]] bool is_done() const noexcept;

    [[nodiscard]] Core& core() noexcept { return core_; }
    [[nodiscard]] const PingTally& tally() const noexcept { return tally_; }
    [[nodiscard]] const ProbeCounters& counters() const noexcept { return core_.counters(0); }

private:
    [[nodiscard]] std::uint64_t opened() const noexcept;
    [[nodiscard]] Instant next_due() const noexcept;
    [[nodiscard]] bool is_time_to_stop(Instant now) const noexcept;
    void stop_sending();
    void take_samples();

    const ProbePlan& probe_;
    const Clock& clock_;
    SampleQueue queue_;
    Core core_;
    PingTally tally_;
    OnSample on_sample_;
    Instant origin_;
    bool is_stopping_ = false;
    bool is_given_up_ = false;
};

}  // namespace latmon
