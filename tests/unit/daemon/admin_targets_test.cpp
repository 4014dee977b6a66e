// SPDX-License-Identifier: Apache-2.0
//
// Claims about what the admin listener sees of targets.
#include "daemon/admin_targets.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

constexpr WallTime now{1'000'000'000'000};

struct Bench {
    ProbeCounters counters;
    std::optional<latmon_window_t> window;
    std::optional<WallTime> since;
    latmon_series_t shown{};
    AdminTargets targets;

    Bench() {
        targets.set_windows({.series_count = [] { return 3U; },
                             .find_series =
                                 [this](std::uint32_t id) {
                                     shown = {};
                                     shown.name = shown.source = shown.host = "";
                                     shown.target = id == 0 ? "a" : "b";
                                     return &shown;
                                 },
                             .find_window = [this](std::uint32_t, std::uint32_t) { return window; },
                             .since = [this] { return since; }});
        TargetView view;
        view.fixed.interval = Duration::from_s(1);
        view.fixed.timeout = Duration::from_s(1);
        view.target_index = 7;
        view.counters = &counters;
        targets.set({view});
    }
    [[nodiscard]] TargetStatus status() const { return targets.read(now).targets.at(0); }

    void set_window(std::uint64_t answered, std::uint64_t lost, std::int64_t age_ns = 0) {
        window = latmon_window_t{};
        window->answered = answered;
        window->lost = lost;
        window->length_ns = 5'000'000'000;
        window->begin_ns = now.ns - window->length_ns - age_ns;
    }
};

TEST_CASE("admin_targets: counts are those that the core publishes") {
    Bench bench;
    bench.counters.sent.add(5);
    bench.counters.answered.add(3);
    bench.counters.lost.add(1);
    bench.counters.late.add(1);
    const TargetStatus status = bench.status();
    CHECK(status.sent == 5);
    CHECK(status.answered == 3);
    CHECK(status.lost == 1);
    CHECK(status.late == 1);
}

TEST_CASE("admin_targets: the state is the last window's, while that says something") {
    Bench bench;
    CHECK(bench.status().state == TargetState::unknown);
    bench.set_window(1, 4);
    CHECK(bench.status().state == TargetState::up);
    bench.set_window(0, 4);
    CHECK(bench.status().state == TargetState::down);
    bench.set_window(0, 0);
    CHECK(bench.status().state == TargetState::unknown);
    bench.set_window(1, 0, 19'000'000'000);
    CHECK(bench.status().state == TargetState::up);
    bench.set_window(1, 0, 19'000'000'001);
    CHECK(bench.status().state == TargetState::unknown);
}

TEST_CASE("admin_targets: the last round trip is there only if the window has one") {
    Bench bench;
    bench.set_window(1, 0);
    CHECK_FALSE(bench.status().last_rtt.has_value());
    bench.window->valid = LATMON_WINDOW_HAS_LAST;
    bench.window->last_rtt_ns = 42;
    CHECK(bench.status().last_rtt == Duration{42});
}

TEST_CASE("admin_targets: an address that was found is shown, of that target alone") {
    Bench bench;
    bench.targets.set_address(8, *parse_endpoint("192.0.2.8", 0));
    CHECK(bench.status().address == "");
    bench.targets.set_address(7, *parse_endpoint("192.0.2.7", 0));
    CHECK(bench.status().address == "192.0.2.7");
    // Each way in which it is probed; and not where it was before others came.
    std::vector<TargetView> views(3);
    views[1].target_index = views[2].target_index = 7;
    for (TargetView& view : views)
        view.counters = &bench.counters;
    bench.targets.set(views);
    bench.targets.set_address(7, *parse_endpoint("192.0.2.7", 0));
    const std::vector<TargetStatus> shown = bench.targets.read(now).targets;
    CHECK(shown.at(0).address == "");
    CHECK(shown.at(1).address == "192.0.2.7");
    CHECK(shown.at(2).address == "192.0.2.7");
}

TEST_CASE("admin_targets: each answer says since when there are windows") {
    Bench bench;
    CHECK_FALSE(bench.targets.read(now).windows_since.has_value());
    CHECK_FALSE(bench.targets.read_series({.target = "", .limit = 9}).windows_since.has_value());
    bench.since = WallTime{42};
    CHECK(bench.targets.read(now).windows_since == WallTime{42});
    CHECK(bench.targets.read_series({.target = "", .limit = 9}).windows_since == WallTime{42});
}

TEST_CASE("admin_targets: series by target, in the order of their ids, up to the limit") {
    Bench bench;
    CHECK(bench.targets.read_series({.target = "", .limit = 9}).series.empty());
    bench.set_window(1, 0);
    CHECK(bench.targets.read_series({.target = "", .limit = 9}).series.size() == 3);
    CHECK_FALSE(bench.targets.read_series({.target = "", .limit = 3}).is_cut);
    CHECK(bench.targets.read_series({.target = "", .limit = 2}).is_cut);
    const SeriesList views = bench.targets.read_series({.target = "b", .limit = 9});
    REQUIRE(views.series.size() == 2);
    CHECK(views.series[0].series_id == 1);
    CHECK(views.series[0].window.answered == 1);
}

TEST_CASE("admin_targets: without windows there are no series, and targets all the same") {
    AdminTargets targets;
    CHECK(targets.read_series({.target = "", .limit = 9}).series.empty());
    CHECK(targets.read(now).targets.empty());
    CHECK_FALSE(targets.read(now).windows_since.has_value());
}

}  // namespace
}  // namespace latmon
