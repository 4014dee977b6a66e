// SPDX-License-Identifier: Apache-2.0
//
// What does a statistic cost? Counting a value in a histogram, beside the increment of one counter
// of an array, which is the least that any histogram does; a sample in all of its series' windows,
// for one series and for many; and the end of a second.
#include "stats/histogram.hpp"
#include "sample/sample.hpp"
#include "stats/aggregator.hpp"

#include <benchmark/benchmark.h>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace latmon {
namespace {

constexpr std::size_t value_count = 4'096;
constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t origin_ns = 1'800'000'000 * second;

// Round trips as a network makes them: 200 us, log-normal. `spread` 0: always the same bucket.
std::vector<std::int64_t> round_trips(double spread) {
    std::mt19937_64 random(1);
    std::lognormal_distribution<double> values_us(std::log(200.0), spread);
    std::vector<std::int64_t> values(value_count);
    for (std::int64_t& value : values)
        value = static_cast<std::int64_t>(values_us(random) * 1'000);
    return values;
}

double spread_of(const benchmark::State& state) {
    return static_cast<double>(state.range(0)) / 100;
}

// The floor: an index is there, one counter of many grows.
void increment(benchmark::State& state) {
    std::vector<std::size_t> indexes(value_count);
    std::mt19937_64 random(1);
    for (std::size_t& index : indexes)
        index = random() % 256;
    std::array<std::uint64_t, 256> counters{};
    std::size_t at = 0;
    for (auto _ : state) {
        ++counters[indexes[at]];
        benchmark::DoNotOptimize(counters);
        at = (at + 1) % value_count;
    }
}
BENCHMARK(increment);

void record(benchmark::State& state) {
    const std::vector<std::int64_t> values = round_trips(spread_of(state));
    Histogram histogram;
    std::size_t at = 0;
    for (auto _ : state) {
        histogram.record(values[at]);
        benchmark::DoNotOptimize(histogram);
        at = (at + 1) % value_count;
    }
}
BENCHMARK(record)->ArgName("spread")->Arg(0)->Arg(5)->Arg(30);

// As a probe makes it, once a tenth of a second, of every series in turn.
std::vector<Sample> samples_of(std::uint32_t series_count) {
    const std::vector<std::int64_t> values = round_trips(0.3);
    std::vector<Sample> samples(series_count);
    for (std::uint32_t series_id = 0; series_id < series_count; ++series_id) {
        Sample& sample = samples[series_id];
        sample.kind = LATMON_KIND_EXCHANGE;
        sample.status = LATMON_STATUS_OK;
        sample.series_id = series_id;
        sample.owd_class = LATMON_OWD_ESTIMATED;
        sample.rtt_ns = values[series_id % value_count];
        sample.owd_fwd_ns = sample.rtt_ns / 2;
        sample.owd_rev_ns = sample.rtt_ns - sample.owd_fwd_ns;
        sample.t1_ns = origin_ns;
        sample.t2_ns = origin_ns + sample.owd_fwd_ns;
        sample.t3_ns = sample.t2_ns;
        sample.t4_ns = sample.t3_ns + sample.owd_rev_ns;
        sample.time_ns = origin_ns + series_id;
        sample.valid = LATMON_HAS_RTT | LATMON_HAS_OWD_FWD | LATMON_HAS_OWD_REV |
                       LATMON_HAS_SEQUENCE | LATMON_HAS_SCHEDULE | LATMON_HAS_T1 | LATMON_HAS_T2 |
                       LATMON_HAS_T3 | LATMON_HAS_T4;
    }
    return samples;
}

// To the next tenth of a second, with other round trips.
void age(std::vector<Sample>& samples, const std::vector<std::int64_t>& values, std::size_t turn) {
    for (std::size_t index = 0; index < samples.size(); ++index) {
        Sample& sample = samples[index];
        sample.time_ns += second / 10;
        ++sample.sequence;
        sample.rtt_ns = values[(index + turn) % values.size()];
        sample.owd_fwd_ns = sample.rtt_ns / 2;
        sample.owd_rev_ns = sample.rtt_ns - sample.owd_fwd_ns;
    }
}

class Count final : public WindowSink {
public:
    void on_window(const latmon_window_t& window) override { samples_ += window.samples; }

private:
    std::uint64_t samples_ = 0;
};

// One sample of each series, at 10 Hz; the time of one is 1 / items_per_second.
void take(benchmark::State& state) {
    std::vector<Sample> samples = samples_of(static_cast<std::uint32_t>(state.range(0)));
    const std::vector<std::int64_t> values = round_trips(0.3);
    Aggregator aggregator({});
    Count sink;
    std::size_t turn = 0;
    for (auto _ : state) {
        aggregator.take(samples);
        state.PauseTiming();
        age(samples, values, ++turn);
        aggregator.advance(WallTime{samples.front().time_ns}, sink);
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(take)->ArgName("series")->Arg(64)->Arg(5'000);

// All windows that end with a second, in which each series had ten samples: of one window.
void end_of_second(benchmark::State& state) {
    std::vector<Sample> samples = samples_of(static_cast<std::uint32_t>(state.range(0)));
    const std::vector<std::int64_t> values = round_trips(0.3);
    const bool keeps_views = state.range(1) != 0;
    Aggregator aggregator({.keeps_views = keeps_views});
    Count sink;
    std::size_t turn = 0;
    for (auto _ : state) {
        state.PauseTiming();
        for (int tenth = 0; tenth < 10; ++tenth) {
            aggregator.take(samples);
            age(samples, values, ++turn);
        }
        state.ResumeTiming();
        aggregator.advance(WallTime{samples.front().time_ns}, sink);
    }
    const auto windows = static_cast<std::int64_t>(aggregator.counters().windows);
    state.SetItemsProcessed(windows);
    state.counters["octets_per_series"] =
        static_cast<double>(aggregator.memory_bytes()) / static_cast<double>(state.range(0));
}
BENCHMARK(end_of_second)->ArgNames({"series", "views"})->Args({5'000, 0})->Args({5'000, 1});

}  // namespace
}  // namespace latmon

BENCHMARK_MAIN();
