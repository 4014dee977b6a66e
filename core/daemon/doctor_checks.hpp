// SPDX-License-Identifier: Apache-2.0
//
// How `latmon doctor` judges what it was told: one function per question, from facts to a finding
// with its cure. Pure; who gathers the facts is doctor.cpp. [main-thread]
#pragma once

#include "clock/kernel_clock.hpp"
#include "clock/local_clock.hpp"
#include "config/plan.hpp"
#include "daemon/doctor_report.hpp"
#include "daemon/host_facts.hpp"
#include "daemon/stamp_verdict.hpp"
#include "reactor/stamp.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace latmon {

// `release`: as of uname(2), "6.1.0-18-amd64".
[[nodiscard]] Finding judge_kernel(const std::string& release);

// What the ring can do about stamps of what is sent, and about telling them apart.
[[nodiscard]] Finding judge_tx_way(const StampAbility& ability, StampPolicy policy);
[[nodiscard]] Finding judge_stamp_keys(const StampAbility& ability);

// What a packet proved of one interface, against what the configuration asks for.
[[nodiscard]] Finding judge_interface(const StampVerdict& verdict, StampPolicy policy);

[[nodiscard]] Finding judge_kernel_clock(const KernelClock& kernel);
// `where` as ClockConfig::chrony; `bound` what chronyd's answer comes to, nothing if it gave none
// or follows no source.
[[nodiscard]] Finding judge_chrony(const std::string& where, bool has_answered,
                                   std::optional<Duration> bound);
// What packets will claim.
[[nodiscard]] Finding judge_clock(const LocalClock& clock, Instant now);
[[nodiscard]] Finding judge_tai(const LocalClock& clock, bool is_ptp_used);

// CPUs that latmon may run on, and those that core-threads take.
[[nodiscard]] Finding judge_cpus(std::size_t at_hand, const Plan& plan);
// Ticks that passed; `since` says from when on: "since boot".
[[nodiscard]] Finding judge_steal(const CpuTicks& ticks, std::string_view since);
// A scheduling policy of sched(7).
[[nodiscard]] Finding judge_scheduler(int policy, Precision precision);
// What scaling_governor says of the core-threads' CPUs; "" if nothing.
[[nodiscard]] Finding judge_governor(const std::string& governor);

struct FileLimit {
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
};
[[nodiscard]] Finding judge_files(std::uint64_t needed, const FileLimit& limit, bool may_raise);
// RLIMIT_MEMLOCK in octets; the ring was opened, or not, under it.
[[nodiscard]] Finding judge_memlock(std::uint64_t limit_bytes, bool has_ring);
// net.core.rmem_max in octets; 0: unknown.
[[nodiscard]] Finding judge_receive_buffer(std::uint64_t rmem_max_bytes);

// Binding to the listener came to this errno value; 0: it can be had.
[[nodiscard]] Finding judge_port(const ListenerPlan& listener, int error_number);
// Whether ports below 1024 may be bound, against those that are wanted.
[[nodiscard]] Finding judge_privileges(bool may_bind_low, const Plan& plan);

// "7.3 us", "12 ms": three digits.
[[nodiscard]] std::string in_words(Duration duration);

}  // namespace latmon
