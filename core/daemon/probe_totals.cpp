// SPDX-License-Identifier: Apache-2.0
//
// See probe_totals.hpp.
#include "daemon/probe_totals.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace latmon {

ProbeTotals::ProbeTotals(std::size_t interface_count)
    : interface_count_(std::min(interface_count, limits::interfaces_max)) {}

void ProbeTotals::add_interface() noexcept {
    LATMON_ASSERT(interface_count_ < limits::interfaces_max);
    ++interface_count_;
}

void ProbeTotals::begin() noexcept {
    sums_ = retired_;
    next_ = 0;
}

bool ProbeTotals::add_some(std::span<ProbeHolder* const> probes) noexcept {
    const std::size_t end = std::min(next_ + probes_per_step, probes.size());
    for (; next_ < end; ++next_)
        sums_.add(*probes[next_]);
    return next_ == probes.size();
}

void ProbeTotals::retire(const ProbeHolder& probe) noexcept {
    retired_.add(probe);
}

void ProbeTotals::Sums::add(const ProbeHolder& probe) noexcept {
    for (std::size_t counter = 0; counter < counters.size(); ++counter) {
        counters[counter] += (probe.counters.*probe_counter_names[counter].counter).read();
    }
    if (probe.interface >= by_interface.size()) return;
    by_interface[probe.interface].tx += probe.counters.stamped_tx.read();
    by_interface[probe.interface].rx += probe.counters.stamped_rx.read();
}

}  // namespace latmon
