// SPDX-License-Identifier: Apache-2.0
//
// Claims about what an API may ask of one series.
#include "stats/series_views.hpp"

#include "unit/stats/samples.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

using namespace testing;

SeriesWindow window_of(std::int64_t begin_s, Duration length, std::int64_t delay_ns,
                       const std::optional<Objective>& objective = std::nullopt) {
    SeriesWindow window;
    const std::int64_t begin_ns = origin_ns + begin_s * second;
    window.open(WallTime{begin_ns}, length, LATMON_KIND_EXCHANGE, objective);
    window.take(answer(1, delay_ns, 0, begin_ns), {}, false);
    return window;
}

WallTime at(std::int64_t s) {
    return WallTime{origin_ns + s * second};
}

TEST_CASE("series_views: the latest of each length is kept") {
    SeriesViews views;
    for (const Duration length : window_lengths)
        CHECK_FALSE(views.latest(length).has_value());
    for (const std::int64_t delay_ns : {5'000, 6'000})
        for (const Duration length : window_lengths)
            views.keep(window_of(0, length, delay_ns + length.ns / second));
    for (const Duration length : window_lengths) {
        const std::optional<OwnedWindow> latest = views.latest(length);
        REQUIRE(latest.has_value());
        CHECK(latest->window.length_ns == length.ns);
        CHECK(latest->window.rtt.max_ns == 6'000 + length.ns / second);
    }
}

TEST_CASE("series_views: the last minute is what ended in it") {
    SeriesViews views;
    CHECK_FALSE(views.sliding(at(60)).has_value());
    for (std::int64_t begin_s = 0; begin_s < 150; begin_s += 5) {
        if (begin_s == 100) continue;
        views.keep(window_of(begin_s, window_lengths[1], 1'000 + begin_s));
    }
    const std::optional<OwnedWindow> minute = views.sliding(at(150));
    REQUIRE(minute.has_value());
    CHECK(minute->window.samples == 11);
    CHECK(minute->window.begin_ns == at(90).ns);
    CHECK(minute->window.length_ns == 60 * second);
    CHECK(minute->window.rtt.min_ns == 1'090);
    CHECK(minute->window.rtt.max_ns == 1'145);
    CHECK(minute->window.last_rtt_ns == 1'145);
    CHECK(views.sliding(at(200))->window.samples == 2);
    CHECK_FALSE(views.sliding(at(210)).has_value());
    CHECK_FALSE(views.sliding(at(80)).has_value());  // The clock was set back.
}

TEST_CASE("series_views: of a changed objective only the new one is told") {
    SeriesViews views;
    views.keep(window_of(0, window_lengths[1], 1'000, Objective{0.9, Duration{1'000}}));
    views.keep(window_of(5, window_lengths[1], 1'000, Objective{0.9, Duration{500}}));
    views.keep(window_of(10, window_lengths[1], 1'000, Objective{0.9, Duration{500}}));
    const std::optional<OwnedWindow> minute = views.sliding(at(15));
    REQUIRE(minute.has_value());
    CHECK(minute->window.samples == 3);
    CHECK(minute->window.objective_rtt_ns == 500);
    CHECK(minute->window.objective_count == 2);
    CHECK(minute->window.objective_good == 0);
}

}  // namespace
}  // namespace latmon
