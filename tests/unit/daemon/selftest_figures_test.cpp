// SPDX-License-Identifier: Apache-2.0
//
// Claims about the arithmetic of a self-test.
#include "daemon/selftest_figures.hpp"

#include <doctest/doctest.h>
#include <vector>

namespace latmon {
namespace {

constexpr PhaseWindow window{.begin = WallTime{1'000}, .end = WallTime{2'000}};

Sample exchange(std::int64_t scheduled_ns, std::int64_t rtt_ns) {
    Sample sample{};
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.status = LATMON_STATUS_OK;
    sample.scheduled_ns = scheduled_ns;
    sample.lateness_ns = 300;
    sample.rtt_ns = rtt_ns;
    sample.local_tx_ns = 20;
    sample.local_rx_ns = 7;
    sample.valid = LATMON_HAS_SCHEDULE | LATMON_HAS_RTT | LATMON_HAS_LOCAL_TX | LATMON_HAS_LOCAL_RX;
    sample.t1_stamp = sample.t4_stamp = LATMON_STAMP_KERNEL;
    return sample;
}

PhaseFigures of_rtts(const std::vector<std::int64_t>& rtts_ns) {
    PhaseFigures figures(PhaseSpec{});
    for (const std::int64_t rtt_ns : rtts_ns)
        figures.add(exchange(1'500, rtt_ns), window);
    return figures;
}

// A step that a core keeps up with.
PhaseFigures good_step() {
    PhaseFigures step = of_rtts({4'000, 5'000});
    step.accounts = {.sent = 10'000, .answered = 10'000};
    return step;
}

TEST_CASE("selftest_figures: only exchanges of the window count, each once") {
    PhaseFigures figures(PhaseSpec{});
    figures.add(exchange(999, 1), window);
    figures.add(exchange(1'000, 2), window);
    figures.add(exchange(1'999, 3), window);
    figures.add(exchange(2'000, 4), window);
    Sample late = exchange(1'500, 5);
    late.status = LATMON_STATUS_LATE;
    figures.add(late, window);
    Sample node = exchange(1'500, 6);
    node.kind = LATMON_KIND_NODE;
    figures.add(node, window);
    CHECK(figures.count() == 2);
    CHECK(figures.rtt.percentile_ns(0) == 2);
    CHECK(figures.rtt.max_ns() == 3);
    CHECK(figures.lateness.count() == 2);
    CHECK(figures.dwell.percentile_ns(500) == 27);
}

TEST_CASE("selftest_figures: a lost probe has a lateness and no round trip") {
    PhaseFigures figures(PhaseSpec{});
    Sample lost = exchange(1'500, 0);
    lost.status = LATMON_STATUS_LOST;
    lost.valid = LATMON_HAS_SCHEDULE;
    figures.add(lost, window);
    CHECK(figures.lateness.count() == 1);
    CHECK(figures.count() == 0);
    CHECK_FALSE(added_error(figures, 0).has_value());
    CHECK_FALSE(least_rtt_ns(std::vector{figures}).has_value());
}

TEST_CASE("selftest_figures: a round trip is stamped only if both ends of ours are") {
    PhaseFigures figures(PhaseSpec{});
    Sample half = exchange(1'500, 9);
    half.t1_stamp = LATMON_STAMP_USER;
    half.valid &= ~LATMON_HAS_LOCAL_TX;
    figures.add(half, window);
    figures.add(exchange(1'500, 9), window);
    CHECK(figures.count() == 2);
    CHECK(figures.stamped() == 1);
    CHECK(figures.dwell.count() == 1);
}

TEST_CASE("selftest_figures: the added error is what lies above the least of all phases") {
    const std::vector<PhaseFigures> phases{of_rtts({5'000, 6'000, 9'000}),
                                           of_rtts({4'500, 7'000, 8'000})};
    CHECK(least_rtt_ns(phases) == 4'500);
    const AddedError first = *added_error(phases[0], *least_rtt_ns(phases));
    CHECK(first.p50_ns == 1'500);
    CHECK(first.p99_ns == 4'500);
    CHECK(added_error(phases[1], 4'500)->p50_ns == 2'500);
}

TEST_CASE("selftest_figures: a rate is too much by lateness, missed slots or losses") {
    CHECK(limit_of(good_step()) == RateLimit::none);
    PhaseFigures missed = good_step();
    missed.accounts.missed = 10;  // Of 10,010.
    CHECK(limit_of(missed) == RateLimit::none);
    missed.accounts.missed = 11;
    CHECK(limit_of(missed) == RateLimit::missed);
    PhaseFigures lost = good_step();
    lost.accounts.lost = 10;
    CHECK(limit_of(lost) == RateLimit::none);
    lost.accounts.failed = 1;
    CHECK(limit_of(lost) == RateLimit::lost);
    PhaseFigures late = good_step();
    for (int index = 0; index < 3; ++index) {
        Sample sample = exchange(1'500, 4'000);
        sample.lateness_ns = 100'001;
        late.add(sample, window);
    }
    CHECK(limit_of(late) == RateLimit::lateness);
    CHECK(limit_of(PhaseFigures(PhaseSpec{})) == RateLimit::lateness);
}

TEST_CASE("selftest_figures: only all four stamps of the kernel or a card make a full set") {
    PhaseFigures figures(PhaseSpec{});
    Sample sample = exchange(1'500, 9);
    sample.t2_stamp = sample.t3_stamp = LATMON_STAMP_HW;
    figures.add(sample, window);
    for (const int t3 : {LATMON_STAMP_USER, LATMON_STAMP_PEER, LATMON_STAMP_NONE}) {
        sample.t3_stamp = static_cast<std::uint8_t>(t3);
        figures.add(sample, window);
    }
    CHECK(figures.stamped() == 4);
    CHECK(figures.fully_stamped() == 1);
}

TEST_CASE("selftest_figures: a refused probe is one slot and wasted, as is one that never left") {
    ProbeCounters counters;
    counters.sent.add(100);
    counters.answered.add(90);
    counters.lost.add(3);
    counters.unreachable.add(7);
    counters.local_error.add(5);
    counters.missed.add(2);
    PhaseAccounts accounts;
    accounts.add(counters);
    CHECK(accounts.slots() == 107);
    CHECK(accounts.wasted() == 15);
    accounts.add(counters);
    CHECK(accounts.slots() == 214);
    CHECK(accounts.sent == accounts.answered + accounts.lost + accounts.unreachable);
}

TEST_CASE("selftest_figures: refused probes are too much, out of the slots that there were") {
    PhaseFigures step = good_step();
    step.accounts.unreachable = 10;
    CHECK(limit_of(step) == RateLimit::none);
    step.accounts.unreachable = 11;
    CHECK(limit_of(step) == RateLimit::lost);
    step.accounts = {.sent = 10'000, .unreachable = 10'000, .missed = 11};
    CHECK(limit_of(step) == RateLimit::missed);
}

// The answer for a core that sustains `capacity`, and how many rates were tried.
std::pair<std::uint32_t, int> search(std::uint32_t capacity, std::uint32_t rate_max) {
    CapacitySearch search(rate_max);
    int tries = 0;
    while (const std::optional<std::uint32_t> rate = search.next()) {
        CHECK(*rate <= rate_max);
        search.note(*rate, *rate <= capacity);
        ++tries;
        REQUIRE(tries < 20);
    }
    return {search.best(), tries};
}

TEST_CASE("selftest_figures: the search ends within a sixth below the capacity") {
    for (std::uint32_t capacity = 2'500; capacity < 390'000; capacity += 777) {
        CAPTURE(capacity);
        const auto [best, tries] = search(capacity, 400'000);
        CHECK(best <= capacity);
        CHECK(best * 7 >= capacity * 6);
        CHECK(tries <= 9);
    }
}

TEST_CASE("selftest_figures: the search stops at what may be tried, and at nothing") {
    CHECK(search(1'000'000, 400'000).first == 400'000);
    CHECK(search(1'000'000, 10'000).first == 10'000);
    CHECK(search(0, 400'000).first == 0);
    CHECK(search(0, 400'000).second <= 9);
}

// A step that is too much by this limit.
PhaseFigures step_of(RateLimit limit) {
    PhaseFigures step = limit == RateLimit::lateness ? PhaseFigures(PhaseSpec{}) : good_step();
    if (limit == RateLimit::missed) step.accounts.missed = 100;
    if (limit == RateLimit::lost) step.accounts.lost = 100;
    REQUIRE(limit_of(step) == limit);
    return step;
}

TEST_CASE("selftest_figures: one run that is too much, by whatever limit, is run again") {
    for (const RateLimit limit : {RateLimit::lateness, RateLimit::missed, RateLimit::lost}) {
        CAPTURE(limit_word(limit));
        int runs = 0;
        CapacitySearch once(20'000);
        const std::vector<PhaseFigures> steps = *run_search(
            once, [&](std::uint32_t) { return step_of(runs++ == 0 ? limit : RateLimit::none); });
        CHECK(once.best() == 20'000);
        CHECK(runs == 2);
        REQUIRE(steps.size() == 1);
        CHECK(limit_of(steps.front()) == RateLimit::none);
    }
}

TEST_CASE("selftest_figures: two runs that are too much count, and what cannot run ends it") {
    std::vector<std::uint32_t> rates;
    CapacitySearch search(20'000);
    const auto run = [&](std::uint32_t rate) -> Result<PhaseFigures> {
        rates.push_back(rate);
        if (rates.size() > 2) return fail(ExitCode::permission, "no ring");
        return step_of(RateLimit::lateness);
    };
    const Result<std::vector<PhaseFigures>> steps = run_search(search, run);
    REQUIRE_FALSE(steps.has_value());
    CHECK(steps.error().text == "no ring");
    CHECK(rates == std::vector<std::uint32_t>{20'000, 20'000, 10'000});
    CHECK(search.best() == 0);
}

}  // namespace
}  // namespace latmon
