// SPDX-License-Identifier: Apache-2.0
//
// A run of `latmon selftest` as a value, what it is judged to be worth, and how it is printed: as
// text for people and as one JSON object. Pure. [main-thread]
#pragma once

#include "daemon/doctor_report.hpp"
#include "daemon/host_facts.hpp"
#include "daemon/selftest_figures.hpp"
#include "daemon/stamp_verdict.hpp"
#include "reactor/stamp.hpp"

#include <optional>
#include <string>
#include <vector>

namespace latmon {

// What was asked of the host beside the phases.
struct SelftestHost {
    std::string config_file;  // "": defaults.
    std::size_t cpus = 1;     // At hand.
    StampAbility ability;
    std::vector<StampVerdict> interfaces;  // Proved: loopback, and those the configuration uses.
    // The card towards the rest of the world, if it is none of these; its interface is "" if there
    // is none. No packet was sent through it.
    StampVerdict further_card;
    std::string governor;      // Of the sender's CPU; "": unknown.
    std::string clock_source;  // "": unknown.
    Duration clock_reading;    // What one costs.
    int scheduler = 0;         // sched(7)
    CpuTicks ticks;            // That passed during the phases.
};

struct SelftestReport {
    SelftestOptions options;
    SelftestSetting setting;
    SelftestHost host;
    std::vector<PhaseFigures> lateness;  // By precision: power, balanced, spin.
    std::vector<PhaseFigures> added;     // One target, and as many as asked for.
    std::vector<PhaseFigures> steps;     // Of the capacity, in the order of trying.
    std::uint32_t capacity_per_s = 0;    // 0: not even the least rate was sustained.
    // Filled in by judge(): one finding per question, `bad` where a figure would mislead.
    std::vector<Finding> findings;

    // Of the steps: the one at capacity_per_s, and the least that was too much; null: there is
    // none.
    [[nodiscard]] const PhaseFigures* sustained() const noexcept;
    [[nodiscard]] const PhaseFigures* too_much() const noexcept;
    // 0 if nothing is bad, else 1.
    [[nodiscard]] int exit_code() const noexcept { return doctor_exit_code(findings); }
};

// The findings of a run.
[[nodiscard]] std::vector<Finding> judge(const SelftestReport& report);

// One sentence: what the host is good for, or which figures would mislead.
[[nodiscard]] std::string headline(const SelftestReport& report);

[[nodiscard]] std::string selftest_text(const SelftestReport& report);

// On one line; the keys are stable and stand in docs/selftest.md.
[[nodiscard]] std::string selftest_json(const SelftestReport& report);

}  // namespace latmon
