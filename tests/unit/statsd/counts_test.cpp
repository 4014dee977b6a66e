// SPDX-License-Identifier: Apache-2.0
//
// Samples tallied one by one give the counts that a window over them has.
#include "statsd/counts.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace latmon::plugins::statsd {
namespace {

std::uint64_t count_named(const Tally& tally, std::string_view name) {
    const std::vector<Count> counts = probe_counts(tally.by_status, tally.tainted);
    const auto found = std::ranges::find(counts, name, &Count::name);
    return found == counts.end() ? 0 : found->value;
}

void add(Tally& tally, latmon_status_t status, std::uint32_t blame) {
    latmon_sample_t sample{};
    sample.status = static_cast<std::uint8_t>(status);
    sample.blame = blame;
    tally.add(sample);
}

TEST_CASE("counts: a probe is tainted once, whatever comes after it was told of") {
    Tally tally;
    add(tally, LATMON_STATUS_LOST, LATMON_BLAME_LOOP_STALLED);
    add(tally, LATMON_STATUS_LATE, LATMON_BLAME_LOOP_STALLED);
    add(tally, LATMON_STATUS_OK, LATMON_BLAME_RECEIVED_LATE);
    add(tally, LATMON_STATUS_DUPLICATE, LATMON_BLAME_RECEIVED_LATE);
    add(tally, LATMON_STATUS_OK, LATMON_BLAME_CLOCK_UNSYNCED);
    CHECK(count_named(tally, "probes.tainted") == 2);
    CHECK(count_named(tally, "probes.late") == 1);
    CHECK(count_named(tally, "probes.duplicated") == 1);
    CHECK(count_named(tally, "probes.sent") == 3);
}

}  // namespace
}  // namespace latmon::plugins::statsd
