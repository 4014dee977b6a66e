// SPDX-License-Identifier: Apache-2.0
//
// What became of probes, as the counts that are sent. Samples are tallied in the form that windows
// have, so that both say the same. Pure; any thread.
//
//   sent = received + lost + lost_local_tx + lost_local_rx
//   lost = nowhere known + lost_forward + lost_reverse + unreachable   the network or the far end
#pragma once

#include <latmon/window.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace latmon::plugins::statsd {

struct Tally {
    std::array<std::uint64_t, LATMON_WINDOW_STATUSES> by_status{};
    std::uint64_t tainted = 0;

    void add(const latmon_sample_t& sample) noexcept;
};

struct Count {
    std::string_view name;
    std::uint64_t value;
};

// Of probes: sent, received and lost always, so that a loss of 0 is said; others if there are any.
[[nodiscard]] std::vector<Count> probe_counts(std::span<const std::uint64_t> by_status,
                                              std::uint64_t tainted);

}  // namespace latmon::plugins::statsd
