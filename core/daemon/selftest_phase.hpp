// SPDX-License-Identifier: Apache-2.0
//
// Runs one phase of `latmon selftest`: two core-threads as the daemon has them, one that sends and
// one that answers, over loopback, and afterwards what they made. Meanwhile this thread sleeps: on
// a host with two CPUs it would have to take one of theirs. [main-thread]
#pragma once

#include "daemon/selftest_figures.hpp"
#include "daemon/selftest_plan.hpp"
#include "sample/sample_queue.hpp"

#include <cstdint>

namespace latmon {

class SelftestRunner {
public:
    // `clock` outlives it.
    SelftestRunner(const SelftestSetting& setting, const Clock& clock);
    SelftestRunner(const SelftestRunner&) = delete;
    SelftestRunner& operator=(const SelftestRunner&) = delete;

    // Takes the phase's duration and some 50 ms. Errors: no ring, no port, too few descriptors.
    [[nodiscard]] Result<PhaseFigures> run(const PhaseSpec& phase);

private:
    [[nodiscard]] Result<PhaseFigures> try_run(const PhaseSpec& phase, std::uint16_t port);
    void take_samples(const Plan& plan, const PhaseWindow& window, PhaseFigures& figures);

    const SelftestSetting setting_;
    const Clock& clock_;
    SampleQueue queue_;  // Of one sender after the other.
};

}  // namespace latmon
