// SPDX-License-Identifier: Apache-2.0
//
// Claims about the sums of many probes' accounts.
#include "daemon/probe_totals.hpp"

#include <doctest/doctest.h>
#include <memory>
#include <vector>

namespace latmon {
namespace {

constexpr std::size_t many = 3 * ProbeTotals::probes_per_step + 1;

ProbePlan small_plan() {
    ProbePlan plan;
    plan.in_flight_slots = 8;
    return plan;
}

// Each counter of each probe has a value of its own.
struct Probes {
    explicit Probes(std::size_t count, std::uint32_t interface = no_interface) {
        for (std::size_t probe = 0; probe < count; ++probe) {
            const std::uint32_t its = probe == 0           ? 0
                                      : probe + 1 == count ? 7  // None that is told of.
                                                           : interface;
            owned.push_back(std::make_unique<ProbeHolder>(small_plan(), its));
            ProbeCounters& counters = owned.back()->counters;
            for (std::size_t counter = 0; counter < probe_counter_names.size(); ++counter) {
                (counters.*probe_counter_names[counter].counter).add(1'000 * counter + probe);
            }
            counters.stamped_tx.add(2);
            counters.stamped_rx.add(1);
            all.push_back(owned.back().get());
        }
    }
    std::vector<std::unique_ptr<ProbeHolder>> owned;
    std::vector<ProbeHolder*> all;
};

void sum_up(ProbeTotals& totals, const Probes& probes) {
    totals.begin();
    while (!totals.add_some(probes.all)) {
    }
}

TEST_CASE("probe_totals: a step reads so many probes and no more, and the last says so") {
    const Probes probes(many);
    ProbeTotals totals(0);
    std::size_t steps = 1;
    while (!totals.add_some(probes.all))
        ++steps;
    CHECK(steps == 4);
    CHECK(ProbeTotals(0).add_some({}));
    const Probes few(ProbeTotals::probes_per_step);
    CHECK(ProbeTotals(0).add_some(few.all));
}

TEST_CASE("probe_totals: the sums are those of all probes, each once, and begin() forgets them") {
    const Probes probes(many);
    ProbeTotals totals(0);
    for (int round = 0; round < 2; ++round) {
        sum_up(totals, probes);
        for (std::size_t counter = 0; counter < probe_counter_names.size(); ++counter) {
            CHECK(totals.sum(counter) == many * 1'000 * counter + many * (many - 1) / 2);
        }
        CHECK(totals.sent() == totals.sum(0));
    }
}

TEST_CASE("probe_totals: stamps go to the interface of their probe, if it is told of") {
    const Probes probes(many, 1);
    ProbeTotals totals(1);
    totals.add_interface();
    sum_up(totals, probes);
    REQUIRE(totals.by_interface().size() == 2);
    CHECK(totals.by_interface()[0].tx == 2);
    CHECK(totals.by_interface()[0].rx == 1);
    CHECK(totals.by_interface()[1].tx == 2 * (many - 2));
    CHECK(totals.by_interface()[1].rx == many - 2);
    totals.begin();
    CHECK(totals.by_interface()[1].tx == 0);
}

TEST_CASE("probe_totals: a probe that goes leaves what it had counted, once, whenever it goes") {
    Probes probes(many, 1);
    ProbeTotals totals(2);
    sum_up(totals, probes);
    const std::uint64_t sent = totals.sent();
    const std::uint64_t stamped = totals.by_interface()[1].tx;
    totals.begin();
    CHECK_FALSE(totals.add_some(probes.all));  // It is among those already summed.
    totals.retire(*probes.all[3]);
    probes.all.erase(probes.all.begin() + 3);
    sum_up(totals, probes);
    CHECK(totals.sent() == sent);
    CHECK(totals.by_interface()[1].tx == stamped);
}

}  // namespace
}  // namespace latmon
