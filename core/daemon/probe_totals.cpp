// SPDX-License-Identifier: Apache-2.0
//
// See probe_totals.hpp.
#include "daemon/probe_totals.hpp"

#include <algorithm>

namespace latmon {

void ProbeTotals::begin() noexcept {
    sums_.fill(0);
    std::ranges::fill(by_interface_, Stamped{});
    next_ = 0;
}

bool ProbeTotals::add_some(std::span<const ProbeCounters> probes,
                           std::span<const std::uint32_t> interface_of_probe) noexcept {
    const std::size_t end = std::min(next_ + probes_per_step, probes.size());
    for (; next_ < end; ++next_) {
        const ProbeCounters& probe = probes[next_];
        for (std::size_t counter = 0; counter < sums_.size(); ++counter) {
            sums_[counter] += (probe.*probe_counter_names[counter].counter).read();
        }
        if (next_ >= interface_of_probe.size()) continue;
        const std::uint32_t interface = interface_of_probe[next_];
        if (interface >= by_interface_.size()) continue;
        by_interface_[interface].tx += probe.stamped_tx.read();
        by_interface_[interface].rx += probe.stamped_rx.read();
    }
    return next_ == probes.size();
}

}  // namespace latmon
