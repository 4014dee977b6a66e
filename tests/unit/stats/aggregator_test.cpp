// SPDX-License-Identifier: Apache-2.0
//
// Claims about when windows begin and end, whatever the clock does, and that no sample is left out
// or counted twice. What is in a window: series_window_test.cpp.
#include "stats/aggregator.hpp"

#include "unit/stats/samples.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <map>
#include <tuple>

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

std::uint64_t samples_in(const Windows& windows, std::int64_t length_ns) {
    std::uint64_t sum = 0;
    for (const OwnedWindow& owned : windows.all)
        if (owned.window.length_ns == length_ns) sum += owned.window.samples;
    return sum;
}

// The random lives of three probes, in the order of their times.
std::vector<Sample> three_probes(std::uint64_t seed) {
    std::vector<Sample> all;
    for (std::uint32_t series_id = 1; series_id <= 3; ++series_id)
        for (Sample sample : random_samples(seed + series_id, 1'200, 100 * ms * series_id)) {
            sample.series_id = series_id;
            all.push_back(sample);
        }
    std::ranges::stable_sort(all, {}, &Sample::time_ns);
    return all;
}

// With batches and advances as a thread would do them.
Windows run(std::span<const Sample> samples, Aggregator& aggregator, std::int64_t patience_ns) {
    Windows windows;
    std::mt19937_64 random(1);
    while (!samples.empty()) {
        const std::size_t count = std::min<std::size_t>(1 + random() % 40, samples.size());
        aggregator.take(samples.first(count));
        aggregator.advance(WallTime{samples[count - 1].time_ns - patience_ns}, windows);
        samples = samples.subspan(count);
    }
    aggregator.finish(windows);
    return windows;
}

TEST_CASE("aggregator: windows of 5 s and 60 s are those that would be kept alone, bit for bit") {
    for (const std::int64_t patience_ns : {std::int64_t{0}, 300 * ms}) {
        const std::vector<Sample> samples = three_probes(40);
        Aggregator together({.lengths = all_lengths});
        const Windows all = run(samples, together, patience_ns);
        for (const auto& [bit, length] : {std::pair(LATMON_WINDOW_1S, window_lengths[0]),
                                          std::pair(LATMON_WINDOW_5S, window_lengths[1]),
                                          std::pair(LATMON_WINDOW_60S, window_lengths[2])}) {
            Aggregator alone({.lengths = bit});
            const Windows expected = run(samples, alone, patience_ns);
            std::size_t compared = 0;
            for (std::uint32_t series_id = 1; series_id <= 3; ++series_id) {
                const auto found = all.of(series_id, length.ns);
                const auto wanted = expected.of(series_id, length.ns);
                REQUIRE(found.size() == wanted.size());
                for (std::size_t index = 0; index < found.size(); ++index)
                    CHECK(is_same(*found[index], *wanted[index]));
                compared += found.size();
            }
            CHECK(compared == expected.all.size());
            CHECK(samples_in(expected, length.ns) == samples.size());
        }
        CHECK(together.counters().taken == samples.size());
        CHECK(together.counters().windows == all.all.size());
    }
}

TEST_CASE("aggregator: every sample is in the window in which it was made") {
    const std::vector<Sample> samples = three_probes(50);
    std::map<std::pair<std::uint32_t, std::int64_t>, std::uint64_t> expected;
    for (const Sample& sample : samples)
        ++expected[{sample.series_id, sample.time_ns / second * second}];
    Aggregator aggregator({.lengths = LATMON_WINDOW_1S});
    const Windows windows = run(samples, aggregator, 0);
    CHECK(windows.all.size() == expected.size());
    for (const OwnedWindow& owned : windows.all) {
        const latmon_window_t& window = owned.window;
        CHECK(expected[{window.series_id, window.begin_ns}] == window.samples);
    }
    CHECK(aggregator.counters().out_of_place == 0);
}

TEST_CASE("aggregator: jitter is told as it stood at a window's end") {
    const std::vector<Sample> samples = three_probes(55);
    for (const std::int64_t patience_ns : {std::int64_t{0}, 300 * ms}) {
        Aggregator aggregator({.lengths = all_lengths});
        const Windows windows = run(samples, aggregator, patience_ns);
        for (const Duration length : window_lengths)
            for (const OwnedWindow* const owned : windows.of(2, length.ns)) {
                SeriesState state;
                for (const Sample& sample : samples) {
                    const bool is_before = sample.time_ns < owned->window.begin_ns + length.ns;
                    if (sample.series_id == 2 && is_before) state.take(sample, false);
                }
                CHECK(owned->window.rtt_ipdv.smoothed_ns == state.rtt_jitter_ns());
                CHECK(owned->window.owd_fwd_ipdv.smoothed_ns == state.owd_fwd_jitter_ns());
                CHECK(owned->window.owd_rev_ipdv.smoothed_ns == state.owd_rev_jitter_ns());
            }
    }
}

TEST_CASE("aggregator: windows come in order of their ends, then of series, then of lengths") {
    Aggregator aggregator({.lengths = all_lengths});
    const Windows windows = run(three_probes(60), aggregator, 0);
    const auto rank = [](const OwnedWindow& owned) {
        const latmon_window_t& window = owned.window;
        return std::tuple(window.begin_ns + window.length_ns, window.series_id, window.length_ns);
    };
    // What is open at stop is handed out before its time, together.
    CHECK(std::ranges::is_sorted(windows.all, {}, rank));
    CHECK(windows.all.size() > 500);
}

TEST_CASE("aggregator: a window is handed out at its end, not before, and once") {
    Aggregator aggregator({.lengths = LATMON_WINDOW_1S | LATMON_WINDOW_5S});
    Windows windows;
    take(aggregator, sample_of(1, 0, at(4).ns + 999 * ms));
    aggregator.advance(WallTime{at(5).ns - 1}, windows);
    CHECK(windows.all.empty());
    aggregator.advance(at(5), windows);
    REQUIRE(windows.all.size() == 2);
    CHECK(windows.all[0].window.begin_ns == at(4).ns);
    CHECK(windows.all[0].window.length_ns == second);
    CHECK(windows.all[1].window.begin_ns == at(0).ns);
    CHECK(windows.all[1].window.length_ns == 5 * second);
    aggregator.advance(at(5), windows);
    aggregator.advance(at(60), windows);
    aggregator.finish(windows);
    CHECK(windows.all.size() == 2);
}

TEST_CASE("aggregator: after a stall of the thread each sample is still in its own window") {
    Aggregator aggregator({.lengths = all_lengths});
    Windows windows;
    for (std::uint32_t sequence = 0; sequence < 700; ++sequence)
        for (std::uint32_t series_id = 1; series_id <= 2; ++series_id)
            take(aggregator, sample_of(series_id, sequence, origin_ns + sequence * 100 * ms));
    CHECK(windows.all.empty());
    aggregator.advance(at(69), windows);
    CHECK(windows.of(1, second).size() == 69);
    CHECK(windows.of(2, 5 * second).size() == 13);
    REQUIRE(windows.of(1, 60 * second).size() == 1);
    CHECK(windows.of(1, 60 * second)[0]->window.samples == 600);
    for (const OwnedWindow* owned : windows.of(1, second))
        CHECK(owned->window.samples == 10);
    aggregator.advance(at(70), windows);
    aggregator.finish(windows);
    CHECK(samples_in(windows, second) == 1'400);
    CHECK(samples_in(windows, 60 * second) == 1'400);
    CHECK(aggregator.counters().out_of_place == 0);
}

TEST_CASE("aggregator: what comes too late goes into the open window, and is told") {
    Aggregator aggregator({.lengths = LATMON_WINDOW_1S});
    Windows windows;
    take(aggregator, sample_of(1, 0, at(0).ns));
    aggregator.advance(at(1), windows);
    take(aggregator, sample_of(1, 1, at(1).ns - 1));
    CHECK(aggregator.counters().out_of_place == 1);
    take(aggregator, sample_of(1, 2, at(1).ns + 1));
    take(aggregator, sample_of(1, 3, at(0).ns));
    CHECK(aggregator.counters().out_of_place == 2);
    aggregator.advance(at(2), windows);
    REQUIRE(windows.all.size() == 2);
    CHECK(windows.all[1].window.begin_ns == at(1).ns);
    CHECK(windows.all[1].window.samples == 3);
}

TEST_CASE("aggregator: a clock that is set forward ends windows, and nothing in between") {
    Aggregator aggregator({.lengths = all_lengths});
    Windows windows;
    constexpr std::int64_t year_s = 31'536'000;
    take(aggregator, sample_of(1, 0, at(0).ns));
    take(aggregator, sample_of(1, 1, at(50 * year_s).ns));
    aggregator.advance(at(50 * year_s + 1), windows);
    take(aggregator, sample_of(1, 2, at(50 * year_s + 1).ns));
    aggregator.advance(at(50 * year_s + 60), windows);
    CHECK(windows.of(1, second).size() == 3);
    CHECK(windows.of(1, 60 * second).size() == 2);
    CHECK(samples_in(windows, second) == 3);
    CHECK(samples_in(windows, 60 * second) == 3);
    CHECK(aggregator.counters().out_of_place == 0);
}

TEST_CASE("aggregator: a clock that is set back by hours does not hold windows open") {
    Aggregator aggregator({.lengths = all_lengths});
    Windows windows;
    constexpr std::int64_t hours_s = 36'000;
    for (std::uint32_t sequence = 0; sequence < 100; ++sequence) {
        take(aggregator, sample_of(1, sequence, at(hours_s).ns + sequence * 100 * ms));
        aggregator.advance(WallTime{at(hours_s).ns + sequence * 100 * ms}, windows);
    }
    for (std::uint32_t sequence = 100; sequence < 2'000; ++sequence) {
        const std::int64_t time_ns = at(0).ns + sequence * 100 * ms;
        take(aggregator, sample_of(1, sequence, time_ns));
        aggregator.advance(WallTime{time_ns}, windows);
    }
    aggregator.finish(windows);
    CHECK(samples_in(windows, second) == 2'000);
    CHECK(samples_in(windows, 5 * second) == 2'000);
    CHECK(samples_in(windows, 60 * second) == 2'000);
    // The one sample that was taken before anybody said that the clock was set.
    CHECK(aggregator.counters().out_of_place == 1);
    CHECK(windows.of(1, second).size() == 10 + 190);
    const auto minutes = windows.of(1, 60 * second);
    CHECK(minutes.size() == 1 + 4);
    CHECK(minutes[0]->window.samples == 101);
}

TEST_CASE("aggregator: a sample from a future that never was does not hold windows open") {
    Aggregator aggregator({.lengths = LATMON_WINDOW_1S});
    Windows windows;
    aggregator.advance(at(0), windows);
    take(aggregator, sample_of(1, 0, at(36'000).ns));
    take(aggregator, sample_of(1, 1, at(0).ns + 1));
    aggregator.advance(at(1), windows);
    REQUIRE(windows.all.size() == 1);
    CHECK(windows.all[0].window.samples == 2);
    take(aggregator, sample_of(1, 2, at(1).ns));
    aggregator.advance(at(2), windows);
    REQUIRE(windows.all.size() == 2);
    CHECK(windows.all[1].window.begin_ns == at(1).ns);
}

TEST_CASE("aggregator: a clock that is set back a little makes one window longer") {
    Aggregator aggregator({.lengths = LATMON_WINDOW_1S});
    Windows windows;
    take(aggregator, sample_of(1, 0, at(9).ns));
    aggregator.advance(at(10), windows);
    for (std::uint32_t tenth = 0; tenth < 60; ++tenth) {
        const std::int64_t time_ns = at(5).ns + tenth * 100 * ms;
        take(aggregator, sample_of(1, tenth + 1, time_ns));
        aggregator.advance(WallTime{time_ns}, windows);
    }
    aggregator.advance(at(11), windows);
    REQUIRE(windows.all.size() == 2);
    CHECK(windows.all[1].window.begin_ns == at(10).ns);
    CHECK(windows.all[1].window.samples == 60);
    CHECK(aggregator.counters().out_of_place == 50);
}

TEST_CASE("aggregator: times that no clock shows are taken for the nearest that one does") {
    Aggregator aggregator({.lengths = all_lengths});
    Windows windows;
    for (const std::int64_t time_ns : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1},
                                       std::numeric_limits<std::int64_t>::max()}) {
        Sample sample = sample_of(1, 0, origin_ns);
        sample.time_ns = time_ns;
        take(aggregator, sample);
        aggregator.advance(WallTime{time_ns}, windows);
    }
    aggregator.finish(windows);
    CHECK(samples_in(windows, second) == 3);
    CHECK(samples_in(windows, 60 * second) == 3);
}

TEST_CASE("aggregator: a series that ends is handed out, and comes back from zero") {
    Aggregator aggregator({.lengths = all_lengths, .keeps_views = true});
    Windows windows;
    aggregator.define(1, LATMON_KIND_EXCHANGE, Objective{0.9, Duration{1}});
    aggregator.define(2, LATMON_KIND_EXCHANGE);
    for (std::uint32_t sequence = 0; sequence < 25; ++sequence) {
        take(aggregator, sample_of(1, sequence, origin_ns + sequence * 100 * ms));
        take(aggregator, sample_of(2, sequence, origin_ns + sequence * 100 * ms));
    }
    aggregator.end(1, windows);
    CHECK(windows.of(1, second).size() == 3);
    CHECK(windows.of(1, 5 * second).size() == 1);
    CHECK(windows.of(1, 60 * second).size() == 1);
    CHECK(windows.of(1, 60 * second)[0]->window.samples == 25);
    CHECK(windows.of(2, second).empty());
    CHECK(aggregator.series_count() == 1);
    CHECK_FALSE(aggregator.latest(1, LATMON_WINDOW_1S).has_value());

    take(aggregator, sample_of(1, 25, origin_ns + 2'500 * ms));
    CHECK(aggregator.counters().after_end == 1);
    CHECK(aggregator.series_count() == 1);

    aggregator.define(1, LATMON_KIND_EXCHANGE);
    take(aggregator, sample_of(1, 26, origin_ns + 2'600 * ms));
    Windows later;
    aggregator.finish(later);
    REQUIRE(later.of(1, 60 * second).size() == 1);
    const latmon_window_t& window = later.of(1, 60 * second)[0]->window;
    CHECK(window.samples == 1);
    CHECK(window.rtt_ipdv.count == 0);
    CHECK((window.valid & LATMON_WINDOW_HAS_OBJECTIVE) == 0);
    CHECK(later.of(2, 60 * second)[0]->window.samples == 25);
    aggregator.end(77, later);
    take(aggregator, sample_of(77, 0, origin_ns));
    CHECK(aggregator.counters().after_end == 2);
}

TEST_CASE("aggregator: series define themselves, so many and no more") {
    Aggregator aggregator({.lengths = LATMON_WINDOW_1S, .undefined_series_max = 2});
    Windows windows;
    for (std::uint32_t series_id = 1; series_id <= 4; ++series_id)
        take(aggregator, sample_of(series_id, 0, origin_ns));
    CHECK(aggregator.series_count() == 2);
    CHECK(aggregator.counters().refused == 2);
    // Whoever is defined takes no place; who ends gives one back.
    aggregator.define(1, LATMON_KIND_EXCHANGE);
    take(aggregator, sample_of(3, 0, origin_ns));
    aggregator.end(2, windows);
    take(aggregator, sample_of(4, 0, origin_ns));
    CHECK(aggregator.series_count() == 3);
    CHECK(aggregator.counters().refused == 2);
    CHECK(aggregator.counters().taken == 4);
}

TEST_CASE("aggregator: counters of nodes and kinds of tomorrow have no windows") {
    Aggregator aggregator({});
    Sample sample = sample_of(1, 0, origin_ns);
    for (const int kind : {0, int{LATMON_KIND_NODE}, 8, 255}) {
        sample.kind = static_cast<std::uint8_t>(kind);
        take(aggregator, sample);
    }
    aggregator.define(9, LATMON_KIND_NODE);
    CHECK(aggregator.counters().ignored == 4);
    CHECK(aggregator.series_count() == 0);
}

TEST_CASE("aggregator: a changed objective is judged from then on") {
    Aggregator aggregator({.lengths = LATMON_WINDOW_1S});
    Windows windows;
    aggregator.define(1, LATMON_KIND_EXCHANGE, Objective{0.9, Duration{1}});
    take(aggregator, sample_of(1, 0, origin_ns));
    aggregator.define(1, LATMON_KIND_EXCHANGE, Objective{0.9, Duration::from_s(1)});
    take(aggregator, sample_of(1, 1, origin_ns + 1));
    aggregator.advance(at(1), windows);
    REQUIRE(windows.all.size() == 1);
    CHECK(windows.all[0].window.samples == 2);
    CHECK(windows.all[0].window.objective_count == 1);
    CHECK(windows.all[0].window.objective_good == 1);
}

// Three distributions over two octaves each, which is a path with much jitter.
TEST_CASE("aggregator: a series at 10 Hz takes no more than 6 KiB, with views 11") {
    constexpr std::uint32_t series_count = 50;
    for (const bool keeps_views : {false, true}) {
        Aggregator aggregator({.lengths = all_lengths, .keeps_views = keeps_views});
        Windows windows;
        std::mt19937_64 random(1);
        std::lognormal_distribution<double> delay_us(5, 0.3);
        for (std::uint32_t sequence = 0; sequence < 1'200; ++sequence) {
            const std::int64_t time_ns = origin_ns + sequence * 100 * ms;
            for (std::uint32_t series_id = 0; series_id < series_count; ++series_id) {
                const auto forward_ns = static_cast<std::int64_t>(delay_us(random) * 1'000);
                const auto reverse_ns = static_cast<std::int64_t>(delay_us(random) * 1'000);
                Sample sample = answer(sequence, forward_ns, reverse_ns, time_ns);
                sample.series_id = series_id;
                take(aggregator, sample);
            }
            aggregator.advance(WallTime{time_ns}, windows);
        }
        const std::size_t each = aggregator.memory_bytes() / series_count;
        MESSAGE("octets per series: " << each);
        CHECK(each > 1'000);
        CHECK(each <= (keeps_views ? 11U : 6U) * 1'024);
    }
}

}  // namespace
}  // namespace latmon
