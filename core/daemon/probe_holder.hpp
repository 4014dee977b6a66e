// SPDX-License-Identifier: Apache-2.0
//
// One probe with all that it needs: its plan, its accounts, its memory. The main-thread makes it,
// hands it to a core-thread by a command, and destroys it when the core-thread has said that it is
// through with it. In between the plan is never changed, the accounts are everybody's to read, and
// the rest is the core-thread's.
#pragma once

#include "config/plan.hpp"
#include "probe/in_flight.hpp"
#include "probe/probe.hpp"
#include "probe/probe_counters.hpp"

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>

namespace latmon {

// Of a probe of which nobody knows which interface it leaves through.
inline constexpr std::uint32_t no_interface = std::numeric_limits<std::uint32_t>::max();

struct ProbeHolder {
    explicit ProbeHolder(ProbePlan probe_plan, std::uint32_t interface_index = no_interface)
        : plan(std::move(probe_plan)),
          interface(interface_index),
          flights(std::make_unique<Flight[]>(plan.in_flight_slots)) {}
    ProbeHolder(const ProbeHolder&) = delete;
    ProbeHolder& operator=(const ProbeHolder&) = delete;

    const ProbePlan plan;
    const std::uint32_t interface;  // In what CoreOptions::interfaces names, or behind that.
    ProbeCounters counters;         // [any-thread]

    // The core-thread has let go of it, for good. Everything it did happened before. Written by the
    // core-thread, once.
    [[nodiscard]] bool is_retired() const noexcept {
        return is_retired_flag.load(std::memory_order_acquire);
    }

    // Of the core-thread, once it has the holder.
    std::unique_ptr<Flight[]> flights;
    std::unique_ptr<Probe> probe;
    std::uint32_t place = 0;  // Among those that it runs.
    bool is_closing = false;

    std::atomic<bool> is_retired_flag{false};
};

}  // namespace latmon
