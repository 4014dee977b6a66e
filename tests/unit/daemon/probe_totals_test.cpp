// SPDX-License-Identifier: Apache-2.0
//
// Claims about the sums of many probes' accounts.
#include "daemon/probe_totals.hpp"

#include <doctest/doctest.h>
#include <vector>

namespace latmon {
namespace {

constexpr std::size_t many = 3 * ProbeTotals::probes_per_step + 1;

// Each counter of each probe has a value of its own.
void fill(std::vector<ProbeCounters>& probes) {
    for (std::size_t probe = 0; probe < probes.size(); ++probe) {
        for (std::size_t counter = 0; counter < probe_counter_names.size(); ++counter) {
            (probes[probe].*probe_counter_names[counter].counter).add(1'000 * counter + probe);
        }
        probes[probe].stamped_tx.add(2);
        probes[probe].stamped_rx.add(1);
    }
}

TEST_CASE("probe_totals: a step reads so many probes and no more, and the last says so") {
    const std::vector<ProbeCounters> probes(many);
    ProbeTotals totals(0);
    std::size_t steps = 1;
    while (!totals.add_some(probes, {}))
        ++steps;
    CHECK(steps == 4);
    CHECK(ProbeTotals(0).add_some({}, {}));
    const std::vector<ProbeCounters> few(ProbeTotals::probes_per_step);
    CHECK(ProbeTotals(0).add_some(few, {}));
}

TEST_CASE("probe_totals: the sums are those of all probes, each once, and begin() forgets them") {
    std::vector<ProbeCounters> probes(many);
    fill(probes);
    ProbeTotals totals(0);
    for (int round = 0; round < 2; ++round) {
        totals.begin();
        while (!totals.add_some(probes, {})) {
        }
        for (std::size_t counter = 0; counter < probe_counter_names.size(); ++counter) {
            CHECK(totals.sum(counter) == many * 1'000 * counter + many * (many - 1) / 2);
        }
        CHECK(totals.sent() == totals.sum(0));
    }
}

TEST_CASE("probe_totals: stamps go to the interface of their probe, if it is known") {
    std::vector<ProbeCounters> probes(many);
    fill(probes);
    std::vector<std::uint32_t> interface_of_probe(many, 1);
    interface_of_probe.front() = 0;
    interface_of_probe.back() = 7;  // None that is told of.
    ProbeTotals totals(2);
    while (!totals.add_some(probes, interface_of_probe)) {
    }
    CHECK(totals.by_interface()[0].tx == 2);
    CHECK(totals.by_interface()[0].rx == 1);
    CHECK(totals.by_interface()[1].tx == 2 * (many - 2));
    CHECK(totals.by_interface()[1].rx == many - 2);
    totals.begin();
    CHECK(totals.by_interface()[1].tx == 0);
}

}  // namespace
}  // namespace latmon
