// SPDX-License-Identifier: Apache-2.0
//
// Claims about what the aggregator shows to who asks, and about its coming too late for a window to
// be whole. When windows begin and end: aggregator_test.cpp.
#include "stats/aggregator.hpp"

#include "unit/stats/samples.hpp"

#include <doctest/doctest.h>
#include <limits>

namespace latmon {
namespace {

using namespace testing;

constexpr std::uint32_t all_lengths = LATMON_WINDOW_1S | LATMON_WINDOW_5S | LATMON_WINDOW_60S;

Sample sample_of(std::uint32_t series_id, std::uint32_t sequence, std::int64_t time_ns) {
    Sample sample = answer(sequence, 100'000 + series_id, 50'000, time_ns);
    sample.series_id = series_id;
    return sample;
}

void take(Aggregator& aggregator, const Sample& sample) {
    aggregator.take(std::span(&sample, 1));
}

WallTime at(std::int64_t s) {
    return WallTime{origin_ns + s * second};
}

TEST_CASE("aggregator: views show what ended, of lengths that nobody is handed too") {
    Aggregator aggregator({.lengths = 0, .keeps_views = true});
    Windows windows;
    CHECK_FALSE(aggregator.latest(1, LATMON_WINDOW_1S).has_value());
    CHECK_FALSE(aggregator.sliding(1).has_value());
    for (std::uint32_t sequence = 0; sequence < 1'000; ++sequence) {
        const std::int64_t time_ns = origin_ns + sequence * 100 * ms;
        take(aggregator, sample_of(1, sequence, time_ns));
        aggregator.advance(WallTime{time_ns}, windows);
    }
    aggregator.advance(at(100), windows);
    CHECK(windows.all.empty());
    const std::optional<OwnedWindow> last = aggregator.latest(1, LATMON_WINDOW_1S);
    REQUIRE(last.has_value());
    CHECK(last->window.series_id == 1);
    CHECK(last->window.begin_ns == at(99).ns);
    CHECK(aggregator.latest(1, LATMON_WINDOW_60S)->window.begin_ns == at(0).ns);
    const std::optional<OwnedWindow> minute = aggregator.sliding(1);
    REQUIRE(minute.has_value());
    CHECK(minute->window.begin_ns == at(40).ns);
    CHECK(minute->window.samples == 600);
    CHECK(minute->window.series_id == 1);
    aggregator.advance(at(161), windows);
    CHECK_FALSE(aggregator.sliding(1).has_value());
    CHECK_FALSE(aggregator.latest(1, 0).has_value());
    CHECK_FALSE(aggregator.latest(1, 8).has_value());
}

// Ten samples a second from second `from` to second `to`, with the time as it passes.
void run_seconds(Aggregator& aggregator, Windows& windows, std::int64_t from, std::int64_t to) {
    for (std::int64_t tenth = from * 10; tenth < to * 10; ++tenth) {
        const std::int64_t time_ns = origin_ns + tenth * 100 * ms;
        take(aggregator, sample_of(1, static_cast<std::uint32_t>(tenth), time_ns));
        aggregator.advance(WallTime{time_ns}, windows);
    }
    aggregator.advance(at(to), windows);
}

TEST_CASE("aggregator: the last minute is whole while the next window begins") {
    Aggregator aggregator({.lengths = 0, .keeps_views = true});
    Windows windows;
    run_seconds(aggregator, windows, 0, 100);
    take(aggregator, sample_of(1, 1'000, at(100).ns + ms));
    take(aggregator, sample_of(1, 1'001, at(105).ns + ms));  // The clock is not looked at yet.
    const std::optional<OwnedWindow> minute = aggregator.sliding(1);
    REQUIRE(minute.has_value());
    CHECK(minute->window.begin_ns == at(40).ns);
    CHECK(minute->window.samples == 600);
}

TEST_CASE("aggregator: what came in too late to be whole is handed to nobody and shown to nobody") {
    Aggregator aggregator({.lengths = all_lengths});
    Windows windows;
    aggregator.set_whole_from(WallTime{std::numeric_limits<std::int64_t>::max()});
    run_seconds(aggregator, windows, 2, 3);
    const WallTime since{at(3).ns + 1};
    aggregator.set_whole_from(since);
    aggregator.keep_views(since);
    CHECK(aggregator.views_since() == since);
    run_seconds(aggregator, windows, 3, 119);
    CHECK(windows.of(1, second).front()->window.begin_ns == at(4).ns);
    CHECK(windows.of(1, second).front()->window.samples == 10);
    CHECK(windows.of(1, 5 * second).front()->window.begin_ns == at(5).ns);
    CHECK(windows.of(1, 5 * second).front()->window.samples == 50);
    CHECK(windows.of(1, 60 * second).empty());
    CHECK_FALSE(aggregator.latest(1, LATMON_WINDOW_60S).has_value());
    run_seconds(aggregator, windows, 119, 130);
    REQUIRE(windows.of(1, 60 * second).size() == 1);
    CHECK(windows.of(1, 60 * second)[0]->window.begin_ns == at(60).ns);
    CHECK(windows.of(1, 60 * second)[0]->window.samples == 600);
    CHECK(aggregator.latest(1, LATMON_WINDOW_60S)->window.samples == 600);
    CHECK(aggregator.counters().windows == windows.all.size());
    // Nor is it at the end, whole or not.
    Aggregator brief({.lengths = all_lengths});
    Windows last;
    brief.set_whole_from(WallTime{at(3).ns + 1});
    run_seconds(brief, last, 3, 5);
    brief.finish(last);
    CHECK(last.all.size() == 1);
}

TEST_CASE("aggregator: views that begin later show whole windows alone, and say since when") {
    Aggregator aggregator({.lengths = all_lengths});
    Windows windows;
    run_seconds(aggregator, windows, 0, 62);
    CHECK_FALSE(aggregator.views_since().has_value());
    const std::size_t before = aggregator.memory_bytes();
    aggregator.keep_views(at(62));
    CHECK(aggregator.memory_bytes() > before);
    CHECK(aggregator.views_since() == at(62));
    run_seconds(aggregator, windows, 62, 120);
    // All of them were handed out whole; the last minute began before views did.
    CHECK(windows.of(1, 60 * second).size() == 2);
    CHECK_FALSE(aggregator.latest(1, LATMON_WINDOW_60S).has_value());
    CHECK(aggregator.latest(1, LATMON_WINDOW_5S)->window.begin_ns == at(115).ns);
    run_seconds(aggregator, windows, 120, 124);
    CHECK_FALSE(aggregator.sliding(1).has_value());
    run_seconds(aggregator, windows, 124, 125);
    REQUIRE(aggregator.sliding(1).has_value());
    CHECK(aggregator.sliding(1)->window.samples == 600);
    CHECK(aggregator.sliding(1)->window.begin_ns == at(65).ns);
    // Who asks again changes nothing.
    aggregator.keep_views(at(125));
    CHECK(aggregator.views_since() == at(62));
    take(aggregator, sample_of(2, 0, at(125).ns));
    aggregator.advance(at(126), windows);
    CHECK(aggregator.latest(2, LATMON_WINDOW_1S).has_value());
}

TEST_CASE("aggregator: a clock that is set back does not silence windows until it is there again") {
    Aggregator aggregator({.lengths = all_lengths});
    Windows windows;
    const WallTime since{at(7'200).ns + 1};
    aggregator.set_whole_from(since);
    aggregator.keep_views(since);
    run_seconds(aggregator, windows, 7'200, 7'205);
    // By half a minute: the minute that is open goes on, and lacks what it lacked.
    run_seconds(aggregator, windows, 7'170, 7'280);
    CHECK(windows.of(1, 60 * second).empty());
    // By two hours: what was open ends, and a minute later all is whole.
    run_seconds(aggregator, windows, 0, 1);
    windows.all.clear();
    run_seconds(aggregator, windows, 1, 179);
    CHECK(windows.of(1, second).size() == 179 - 61);
    for (const OwnedWindow& owned : windows.all) {
        CHECK(owned.window.begin_ns > at(60).ns);
        CHECK(owned.window.samples * 100 * ms ==
              static_cast<std::uint64_t>(owned.window.length_ns));
    }
    CHECK(windows.of(1, 60 * second).empty());
    run_seconds(aggregator, windows, 179, 181);
    REQUIRE(windows.of(1, 60 * second).size() == 1);
    CHECK(windows.of(1, 60 * second)[0]->window.begin_ns == at(120).ns);
    CHECK(aggregator.latest(1, LATMON_WINDOW_60S)->window.samples == 600);
}

}  // namespace
}  // namespace latmon
