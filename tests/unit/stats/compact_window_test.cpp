// SPDX-License-Identifier: Apache-2.0
//
// Claims about windows that were put away.
#include "stats/compact_window.hpp"

#include "unit/stats/samples.hpp"

#include <doctest/doctest.h>
#include <bit>
#include <limits>

namespace latmon {
namespace {

using namespace testing;

TEST_CASE("compact_window: any window comes back as it was, and goes on as if never put away") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        SeriesState state;
        const auto count = static_cast<std::uint32_t>(seed * seed * 10);
        const Objective objective{0.999, Duration::from_us(300)};
        SeriesWindow window = window_over(random_samples(seed, count, ms), state, objective);
        SeriesWindow restored = CompactWindow(window).restore();
        CAPTURE(seed);
        CHECK(is_same(restored.finish(), window.finish()));
        const SeriesWindow more = window_over(random_samples(seed + 1, 50, ms), state, objective);
        window.merge(more);
        restored.merge(more);
        CHECK(is_same(restored.finish(), window.finish()));
    }
}

TEST_CASE("compact_window: the ends of every number come back") {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
    SeriesWindow window;
    window.open(WallTime{most - second}, Duration::from_s(1), LATMON_KIND_EXCHANGE, std::nullopt);
    for (int turn = 0; turn < 300; ++turn) {
        window.rtt.record(turn % 2 == 0 ? most : least);
        window.owd_fwd.record(most);
        window.owd_rev.record(least);
    }
    window.rtt_ipdv = {.abs_sum_ns = Wide{most} * 1'000,
                       .count = std::numeric_limits<std::uint64_t>::max(),
                       .min_ns = least,
                       .max_ns = most,
                       .smoothed_ns = most};
    window.lateness_count = 1;
    window.lateness_sum_ns = Wide{least} * 1'000;
    window.value_count = 1;
    window.value_min = -std::numeric_limits<double>::infinity();
    window.value_max = std::numeric_limits<double>::max();
    window.value_last = std::numeric_limits<double>::denorm_min();
    const SeriesWindow restored = CompactWindow(window).restore();
    SeriesWindow::each_number(restored, [](const auto&) {});
    CHECK(restored.rtt_ipdv.abs_sum_ns == window.rtt_ipdv.abs_sum_ns);
    CHECK(restored.lateness_sum_ns == window.lateness_sum_ns);
    CHECK(restored.owd_rev.totals().sum_ns == Wide{least} * 300);
    window.kind = LATMON_KIND_GAUGE;
    SeriesWindow of_gauge = CompactWindow(window).restore();
    CHECK(is_same(of_gauge.finish(), window.finish()));
}

TEST_CASE("compact_window: 5 s at 10 Hz take some 300 octets") {
    CHECK(CompactWindow().is_empty());
    SeriesState state;
    const SeriesWindow window = window_over(random_samples(1, 50, 100 * ms), state);
    const CompactWindow compact(window);
    CHECK_FALSE(compact.is_empty());
    CHECK(compact.memory_bytes() > 100);
    CHECK(compact.memory_bytes() < 450);
}

}  // namespace
}  // namespace latmon
