// SPDX-License-Identifier: Apache-2.0
//
// What `latmon selftest` runs: which CPUs, which phases for how long, and the two plans of a phase,
// one of a node that sends over loopback and one of a node that answers. Pure; the numbers that
// make the test what it is stand here. [main-thread]
#pragma once

#include "config/config.hpp"
#include "config/plan.hpp"
#include "daemon/selftest_options.hpp"

#include <span>
#include <vector>

namespace latmon {

// What all phases have in common.
struct SelftestSetting {
    Precision precision = Precision::balanced;
    StampPolicy stamps = StampPolicy::automatic;
    std::uint32_t sender_cpu = 0;
    std::uint32_t reflector_cpu = 0;

    [[nodiscard]] bool shares_cpu() const noexcept { return sender_cpu == reflector_cpu; }
};

// One run of sender and reflector.
struct PhaseSpec {
    Precision precision = Precision::balanced;
    std::uint32_t targets = 1;
    std::uint32_t rate_per_s = 1'000;  // Probes, over all targets.
    Duration duration{};

    [[nodiscard]] constexpr Duration interval() const noexcept {
        return Duration{std::int64_t{1'000'000'000} * targets / rate_per_s};
    }
    // The part of it whose samples count: not its start, when nothing is in its caches, nor its
    // end, where the answer that brings the last exact T3 is missing.
    [[nodiscard]] constexpr Duration window_begin() const noexcept { return duration / 8; }
    [[nodiscard]] constexpr Duration window_end() const noexcept {
        return duration - interval() - Duration::from_ms(10);
    }
};

// The CPUs: those asked for, else the first of the configuration's cores (or, as there, the last
// CPU at hand) for the sender, and for the reflector the next core or the last other CPU, if there
// is one. `cpus`: those at hand, in order, at least one. Errors: a CPU that is not.
[[nodiscard]] Result<SelftestSetting> choose_setting(const SelftestOptions& options,
                                                     const Config& config,
                                                     std::span<const std::uint32_t> cpus);

// How late timers are: 1,000 probes a second to one target, for each precision in its order.
[[nodiscard]] std::vector<PhaseSpec> lateness_phases(const SelftestOptions& options);

// What is added to a figure: 10,000 probes a second to one target, and to as many as asked for.
[[nodiscard]] std::vector<PhaseSpec> added_phases(const SelftestOptions& options,
                                                  Precision precision);

// One step of the search for the capacity.
[[nodiscard]] PhaseSpec capacity_phase(const SelftestOptions& options, Precision precision,
                                       std::uint32_t rate_per_s);

// The most that is tried: what the targets allow at the shortest interval, 400,000 at most, which
// is more than one core does.
[[nodiscard]] std::uint32_t capacity_rate_max(const SelftestOptions& options) noexcept;

// Room for the samples of one phase. One that is dropped all the same is counted, and a finding.
inline constexpr std::uint32_t selftest_queue_samples = 1U << 17U;

// The node that answers, on 127.0.0.1 and this port, and the one that sends to it.
[[nodiscard]] Result<Plan> reflector_plan(const SelftestSetting& setting, std::uint16_t port);
[[nodiscard]] Result<Plan> sender_plan(const SelftestSetting& setting, const PhaseSpec& phase,
                                       std::uint16_t port);

}  // namespace latmon
