// SPDX-License-Identifier: Apache-2.0
//
// The accounts of all probes of a core, summed a few probes at a time: those of tens of thousands
// are megabytes, and reading them at one go would hold up what is due. Each probe's are read
// together, so that the laws of probe_counters.hpp hold for the sums as they do for each. Those of
// probes that have gone stay in the sums, so that these never fall. One thread, that of the probes;
// allocates nothing after construction.
#pragma once

#include "base/limits.hpp"
#include "daemon/probe_holder.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace latmon {

struct ProbeCounterName {
    const char* name;
    PublishedCounter ProbeCounters::*counter;
};

// What is summed, by the name of its series.
inline constexpr std::array probe_counter_names{
    ProbeCounterName{"probes_sent_total", &ProbeCounters::sent},
    ProbeCounterName{"probes_answered_total", &ProbeCounters::answered},
    ProbeCounterName{"probes_lost_total", &ProbeCounters::lost},
    ProbeCounterName{"probes_lost_forward_total", &ProbeCounters::lost_forward},
    ProbeCounterName{"probes_lost_reverse_total", &ProbeCounters::lost_reverse},
    ProbeCounterName{"probes_lost_local_tx_total", &ProbeCounters::lost_local_tx},
    ProbeCounterName{"probes_lost_local_rx_total", &ProbeCounters::lost_local_rx},
    ProbeCounterName{"probes_unreachable_total", &ProbeCounters::unreachable},
    ProbeCounterName{"probes_local_error_total", &ProbeCounters::local_error},
    ProbeCounterName{"probes_missed_total", &ProbeCounters::missed},
    ProbeCounterName{"probes_late_total", &ProbeCounters::late},
    ProbeCounterName{"probes_duplicate_total", &ProbeCounters::duplicate},
    ProbeCounterName{"probes_reordered_total", &ProbeCounters::reordered},
    ProbeCounterName{"probes_invalid_total", &ProbeCounters::invalid},
    ProbeCounterName{"probes_reopened_total", &ProbeCounters::reopened},
    ProbeCounterName{"descriptors_sent_total", &ProbeCounters::descriptors},
};

class ProbeTotals {
public:
    // Probes whose accounts are read at one go: 9 KiB, some microseconds.
    static constexpr std::size_t probes_per_step = 64;

    // What the kernel stamped of the probes that leave through one interface.
    struct Stamped {
        std::uint64_t tx = 0;
        std::uint64_t rx = 0;
    };

    // Room for as many as limits::interfaces_max; the first `interface_count` are told of.
    explicit ProbeTotals(std::size_t interface_count);

    // One more interface is told of; no more than there is room for. [core-thread]
    void add_interface() noexcept;

    // Forgets what was summed but for retire(). Needed as well whenever the probes become others.
    void begin() noexcept;

    // Adds the next few probes; true if that were the last of them.
    [[nodiscard]] bool add_some(std::span<ProbeHolder* const> probes) noexcept;

    // The accounts of a probe that is not among them any more, and changes no more.
    void retire(const ProbeHolder& probe) noexcept;

    // By index of probe_counter_names.
    [[nodiscard]] std::uint64_t sum(std::size_t counter) const noexcept {
        return sums_.counters[counter];
    }
    [[nodiscard]] std::uint64_t sent() const noexcept { return sums_.counters[0]; }
    [[nodiscard]] std::span<const Stamped> by_interface() const noexcept {
        return std::span(sums_.by_interface).first(interface_count_);
    }

private:
    static_assert(probe_counter_names[0].counter == &ProbeCounters::sent);
    struct Sums {
        std::array<std::uint64_t, probe_counter_names.size()> counters{};
        std::array<Stamped, limits::interfaces_max> by_interface{};

        void add(const ProbeHolder& probe) noexcept;
    };

    Sums sums_;
    Sums retired_;
    std::size_t interface_count_;
    std::size_t next_ = 0;  // Probe.
};

}  // namespace latmon
