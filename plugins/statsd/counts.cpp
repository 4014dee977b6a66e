// SPDX-License-Identifier: Apache-2.0
//
// See counts.hpp. The names are those of the exporter datadog.
#include "statsd/counts.hpp"

#include "support/count_of.hpp"

namespace latmon::plugins::statsd {
namespace {

struct StatusCount {
    std::uint8_t status;
    std::string_view name;
};
constexpr StatusCount status_counts[] = {
    {LATMON_STATUS_LOST_FORWARD, "probes.lost_forward"},
    {LATMON_STATUS_LOST_REVERSE, "probes.lost_reverse"},
    {LATMON_STATUS_UNREACHABLE, "probes.unreachable"},
    {LATMON_STATUS_LOST_LOCAL_TX, "probes.lost_local_tx"},
    {LATMON_STATUS_LOST_LOCAL_RX, "probes.lost_local_rx"},
    {LATMON_STATUS_LATE, "probes.late"},
    {LATMON_STATUS_DUPLICATE, "probes.duplicated"},
    {LATMON_STATUS_REORDERED, "probes.reordered"},
    {LATMON_STATUS_INVALID, "probes.invalid"},
    {LATMON_STATUS_LOCAL_ERROR, "probes.unsent"},
};

}  // namespace

void Tally::add(const latmon_sample_t& sample) noexcept {
    if (sample.status < by_status.size()) by_status[sample.status] += count_of(sample);
    // Their probe has been told of, and its blame with it.
    if (sample.status == LATMON_STATUS_LATE || sample.status == LATMON_STATUS_DUPLICATE) return;
    // A clock that follows nobody spoils one-way delays, and these say so themselves.
    if ((sample.blame & ~LATMON_BLAME_CLOCK_UNSYNCED) != 0) ++tainted;
}

std::vector<Count> probe_counts(std::span<const std::uint64_t> by_status, std::uint64_t tainted) {
    const auto of = [&](std::size_t status) { return by_status[status]; };
    const std::uint64_t received = of(LATMON_STATUS_OK) + of(LATMON_STATUS_REORDERED);
    const std::uint64_t lost = of(LATMON_STATUS_LOST) + of(LATMON_STATUS_LOST_FORWARD) +
                               of(LATMON_STATUS_LOST_REVERSE) + of(LATMON_STATUS_UNREACHABLE);
    const std::uint64_t local = of(LATMON_STATUS_LOST_LOCAL_TX) + of(LATMON_STATUS_LOST_LOCAL_RX);
    std::vector<Count> counts{{"probes.sent", received + lost + local},
                              {"probes.received", received},
                              {"probes.lost", lost}};
    for (const auto& [status, name] : status_counts) {
        if (of(status) > 0) counts.push_back({name, of(status)});
    }
    if (tainted > 0) counts.push_back({"probes.tainted", tainted});
    return counts;
}

}  // namespace latmon::plugins::statsd
