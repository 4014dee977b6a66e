// SPDX-License-Identifier: Apache-2.0
//
// Claims about what a window says of its samples.
#include "stats/series_window.hpp"

#include "unit/stats/samples.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <bit>
#include <limits>

namespace latmon {
namespace {

using namespace testing;

SeriesWindow open_window(latmon_kind_t kind, const std::optional<Objective>& objective = {}) {
    SeriesWindow window;
    window.open(WallTime{origin_ns}, Duration::from_s(1), kind, objective);
    return window;
}

Sample value_sample(latmon_kind_t kind, std::int64_t value, std::int64_t time_ns = origin_ns) {
    Sample sample{};
    sample.kind = static_cast<std::uint8_t>(kind);
    sample.status = LATMON_STATUS_OK;
    sample.value = value;
    sample.time_ns = time_ns;
    sample.valid = LATMON_HAS_VALUE;
    return sample;
}

TEST_CASE("series_window: parts merged are one window over all samples, bit for bit") {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        const std::vector<Sample> samples = random_samples(seed, 3'000, ms);
        const Objective objective{0.99, Duration::from_us(400)};
        SeriesState state_of_whole;
        const OwnedWindow whole = window_over(samples, state_of_whole, objective).finish();
        SeriesState state;
        SeriesWindow merged;
        merged.open(WallTime{origin_ns}, Duration::from_s(60), LATMON_KIND_EXCHANGE, objective);
        std::mt19937_64 random(seed);
        std::span<const Sample> rest = samples;
        while (!rest.empty()) {
            const std::size_t count = std::min<std::size_t>(1 + random() % 200, rest.size());
            merged.merge(window_over(rest.first(count), state, objective));
            rest = rest.subspan(count);
        }
        CAPTURE(seed);
        CHECK(is_same(merged.finish(), whole));
        CHECK(whole.window.rtt.count > 2'000);
        CHECK(whole.window.owd_rev_ipdv.count > 1'000);
        CHECK(whole.window.loss_bursts > 100);
    }
}

TEST_CASE("series_window: in another order all but the latest is the same") {
    const std::vector<Sample> samples = random_samples(1, 2'000, ms);
    SeriesState state;
    const std::span<const Sample> all(samples);
    const SeriesWindow a = window_over(all.first(700), state);
    const SeriesWindow b = window_over(all.subspan(700, 600), state);
    const SeriesWindow c = window_over(all.subspan(1'300), state);
    SeriesState none;
    SeriesWindow forward = window_over({}, none);
    SeriesWindow backward = window_over({}, none);
    for (const SeriesWindow* part : {&a, &b, &c})
        forward.merge(*part);
    for (const SeriesWindow* part : {&c, &a, &b})
        backward.merge(*part);
    forward.note_jitter(state);
    backward.note_jitter(state);
    CHECK(is_same(forward.finish(), backward.finish()));
}

TEST_CASE("series_window: every status, blame and class is counted in its place") {
    const std::vector<Sample> samples = random_samples(2, 5'000, ms);
    latmon_window_t expected{};
    for (const Sample& sample : samples) {
        ++expected.samples;
        ++expected.by_status[sample.status];
        if (is_afterthought(sample.status)) continue;
        for (unsigned bit = 0; bit < 8; ++bit)
            expected.by_blame[bit] += (sample.blame >> bit) & 1U;
        if (is_tainted(sample)) ++expected.tainted;
        if (is_answered(sample.status)) ++expected.by_owd_class[sample.owd_class];
        ++expected.lateness_count;
        expected.lateness_sum_ns += sample.lateness_ns;
    }
    SeriesState state;
    const OwnedWindow owned = window_over(samples, state).finish();
    const latmon_window_t& found = owned.window;
    CHECK(found.samples == expected.samples);
    CHECK(std::ranges::equal(found.by_status, expected.by_status));
    CHECK(std::ranges::equal(found.by_blame, expected.by_blame));
    CHECK(std::ranges::equal(found.by_owd_class, expected.by_owd_class));
    CHECK(found.tainted == expected.tainted);
    CHECK(found.left_out == 0);
    CHECK(found.lateness_count == expected.lateness_count);
    CHECK(found.lateness_sum_ns == expected.lateness_sum_ns);
    CHECK(found.lateness_max_ns == 1'006);
    CHECK(found.answered + found.lost + found.lost_local + found.by_status[LATMON_STATUS_LATE] +
              found.by_status[LATMON_STATUS_DUPLICATE] ==
          found.samples);
    CHECK(found.rtt.count == found.answered);
    CHECK(found.owd_fwd.count ==
          found.by_owd_class[LATMON_OWD_BOUNDED] + found.by_owd_class[LATMON_OWD_ESTIMATED]);
    CHECK(found.slowest_rtt_ns == found.rtt.max_ns);
    CHECK(found.struct_size == sizeof(latmon_window_t));
}

TEST_CASE("series_window: the lost are longer than any, those lost here are not there") {
    SeriesState state;
    std::vector<Sample> samples;
    for (std::uint32_t sequence = 0; sequence < 98; ++sequence)
        samples.push_back(answer(sequence, 100'000 + sequence, 0, origin_ns + sequence));
    samples.push_back(probe_sample(98, LATMON_STATUS_LOST_REVERSE, origin_ns + 98));
    samples.push_back(probe_sample(99, LATMON_STATUS_UNREACHABLE, origin_ns + 99));
    for (std::uint32_t sequence = 100; sequence < 150; ++sequence)
        samples.push_back(probe_sample(sequence, LATMON_STATUS_LOST_LOCAL_TX, origin_ns + 100));
    const OwnedWindow owned = window_over(samples, state).finish();
    const latmon_window_t& window = owned.window;
    CHECK(window.answered == 98);
    CHECK(window.lost == 2);
    CHECK(window.lost_local == 50);
    CHECK(window.loss_ratio == 0.02);
    CHECK((window.valid & LATMON_WINDOW_HAS_LOSS_RATIO) != 0);
    CHECK(window.percentile_valid == 0b000111);
    CHECK(window.rtt_percentile_ns[LATMON_P50] >= 99'700);
    CHECK(window.rtt_percentile_ns[LATMON_P50] <= 100'300);
    CHECK(window.rtt_percentile_ns[LATMON_P99] == 0);
    CHECK(window.loss_bursts == 1);
    CHECK(window.loss_burst_max == 2);
}

TEST_CASE("series_window: tainted samples are counted, and left out where that is asked for") {
    SeriesState state;
    SeriesWindow window = open_window(LATMON_KIND_EXCHANGE, Objective{0.9, Duration{150'000}});
    const auto take = [&](Sample sample, std::uint32_t blame) {
        sample.blame = blame;
        window.take(sample, state.take(sample, true), true);
    };
    take(answer(0, 100'000, 0, origin_ns), 0);
    take(answer(1, 900'000, 0, origin_ns + 1), LATMON_BLAME_LOOP_STALLED);
    take(answer(2, 110'000, 0, origin_ns + 2), LATMON_BLAME_CLOCK_UNSYNCED);
    take(probe_sample(3, LATMON_STATUS_LOST, origin_ns + 3), LATMON_BLAME_OVERFLOW);
    take(probe_sample(4, LATMON_STATUS_LOST, origin_ns + 4), 0);
    take(probe_sample(5, LATMON_STATUS_LOST, origin_ns + 5), LATMON_BLAME_OVERFLOW);
    const OwnedWindow owned = window.finish();
    CHECK(owned.window.tainted == 3);
    CHECK(owned.window.left_out == 3);
    CHECK(owned.window.answered == 3);
    CHECK(owned.window.lost == 3);
    CHECK(owned.window.lost_left_out == 2);
    CHECK(owned.window.loss_ratio == 0.5);
    CHECK(owned.window.rtt.count == 2);
    CHECK(owned.window.rtt.max_ns == 110'000);
    CHECK(owned.window.slowest_sequence == 2);
    CHECK(owned.window.rtt_ipdv.count == 0);
    CHECK(owned.window.loss_bursts == 1);
    // Of two answered and one lost the median is answered, the 90th percentile is not.
    CHECK(owned.window.percentile_valid == 0b000001);
    CHECK(owned.window.objective_count == 3);
    CHECK(owned.window.objective_good == 2);
}

TEST_CASE("series_window: an objective counts what is answered in time of all exchanges") {
    SeriesState state;
    SeriesWindow window = open_window(LATMON_KIND_EXCHANGE, Objective{0.99, Duration{200'000}});
    const auto take = [&](const Sample& sample) {
        window.take(sample, state.take(sample, false), false);
    };
    take(answer(0, 100'000, 100'000, origin_ns));
    take(answer(1, 100'000, 100'001, origin_ns));
    take(probe_sample(2, LATMON_STATUS_LOST, origin_ns));
    take(probe_sample(3, LATMON_STATUS_LOCAL_ERROR, origin_ns));
    take(probe_sample(2, LATMON_STATUS_LATE, origin_ns));
    const OwnedWindow owned = window.finish();
    CHECK((owned.window.valid & LATMON_WINDOW_HAS_OBJECTIVE) != 0);
    CHECK(owned.window.objective_ratio == 0.99);
    CHECK(owned.window.objective_rtt_ns == 200'000);
    CHECK(owned.window.objective_count == 3);
    CHECK(owned.window.objective_good == 1);
    SeriesWindow other = open_window(LATMON_KIND_EXCHANGE, Objective{0.99, Duration{200'001}});
    other.merge(window);
    CHECK(other.objective_count == 0);
    window.set_objective(Objective{0.99, Duration{200'000}});
    CHECK(window.objective_count == 3);
    window.set_objective(Objective{0.5, Duration{200'000}});
    CHECK(window.objective_count == 0);
    window.set_objective(std::nullopt);
    const OwnedWindow none = window.finish();
    CHECK((none.window.valid & LATMON_WINDOW_HAS_OBJECTIVE) == 0);
}

TEST_CASE("series_window: an objective of which nothing was judged is not kept") {
    SeriesState state;
    SeriesWindow window = open_window(LATMON_KIND_EXCHANGE, Objective{0.99, Duration{200'000}});
    const auto verdict = [&](const Sample& sample) {
        window.take(sample, state.take(sample, false), false);
        return window.finish().window.valid &
               (LATMON_WINDOW_HAS_OBJECTIVE | LATMON_WINDOW_KEEPS_OBJECTIVE);
    };
    CHECK(verdict(probe_sample(0, LATMON_STATUS_LOCAL_ERROR, origin_ns)) ==
          LATMON_WINDOW_HAS_OBJECTIVE);
    CHECK(verdict(answer(1, 50'000, 50'000, origin_ns)) ==
          (LATMON_WINDOW_HAS_OBJECTIVE | LATMON_WINDOW_KEEPS_OBJECTIVE));
}

TEST_CASE("series_window: of the slowest it is the first that is named") {
    SeriesState state;
    SeriesWindow window = open_window(LATMON_KIND_EXCHANGE);
    for (const std::uint32_t sequence : {5U, 2U, 3U}) {
        const Sample sample = answer(sequence, 100'000, 100'000, origin_ns + sequence * ms);
        window.take(sample, state.take(sample, false), false);
    }
    const OwnedWindow owned = window.finish();
    CHECK(owned.window.slowest_sequence == 2);
    CHECK(owned.window.slowest_time_ns == origin_ns + 2 * ms);
    CHECK(owned.window.last_sequence == 5);
    CHECK(owned.window.last_rtt_ns == 200'000);
}

TEST_CASE("series_window: a reflection has no loss and no round trip, but the peer's way to us") {
    SeriesWindow window = open_window(LATMON_KIND_REFLECTION);
    Sample sample = answer(1, 70'000, 0, origin_ns);
    sample.kind = LATMON_KIND_REFLECTION;
    sample.valid &= ~(LATMON_HAS_RTT | LATMON_HAS_OWD_REV);
    window.take(sample, {}, false);
    const OwnedWindow owned = window.finish();
    CHECK(owned.window.answered == 1);
    CHECK(owned.window.owd_fwd.count == 1);
    CHECK(owned.window.owd_fwd.sum_ns == 70'000);
    CHECK(owned.window.rtt.count == 0);
    CHECK(owned.window.percentile_valid == 0);
    CHECK(owned.window.valid == LATMON_WINDOW_HAS_LATENESS);
}

TEST_CASE("series_window: relative one-way delays are in no distribution") {
    SeriesState state;
    SeriesWindow window = open_window(LATMON_KIND_EXCHANGE);
    Sample sample = answer(1, -70'000, 90'000, origin_ns);
    sample.owd_class = LATMON_OWD_RELATIVE;
    window.take(sample, {}, false);
    sample.owd_class = LATMON_OWD_BOUNDED;
    window.take(sample, {}, false);
    const OwnedWindow owned = window.finish();
    CHECK(owned.window.owd_fwd.count == 1);
    CHECK(owned.window.owd_fwd.min_ns == -70'000);
    CHECK(owned.window.owd_fwd.negative_count == 1);
    CHECK(owned.window.owd_fwd.positive_count == 0);
}

TEST_CASE("series_window: counters add up, gauges have extremes, timings a distribution") {
    SeriesWindow counter = open_window(LATMON_KIND_COUNTER);
    for (const std::int64_t value : {3LL, 4LL, 0LL})
        counter.take(value_sample(LATMON_KIND_COUNTER, value), {}, false);
    CHECK(counter.finish().window.value_sum == 7);
    CHECK(counter.finish().window.valid == LATMON_WINDOW_HAS_VALUE);

    SeriesWindow gauge = open_window(LATMON_KIND_GAUGE);
    std::int64_t time_ns = origin_ns;
    for (const double value : {2.5, -1.5, std::numeric_limits<double>::quiet_NaN(), -0.0}) {
        const auto bits = std::bit_cast<std::int64_t>(value);
        gauge.take(value_sample(LATMON_KIND_GAUGE, bits, time_ns++), {}, false);
    }
    const OwnedWindow of_gauge = gauge.finish();
    CHECK(of_gauge.window.samples == 4);
    CHECK(of_gauge.window.value_min == -1.5);
    CHECK(of_gauge.window.value_max == 2.5);
    CHECK(of_gauge.window.value_last == 0);
    CHECK_FALSE(std::signbit(of_gauge.window.value_last));
    CHECK(of_gauge.window.value_last_ns == origin_ns + 3);

    SeriesWindow timing = open_window(LATMON_KIND_TIMING);
    for (const std::int64_t value : {1'000LL, 2'000LL, 0LL})
        timing.take(value_sample(LATMON_KIND_TIMING, value), {}, false);
    const OwnedWindow of_timing = timing.finish();
    CHECK(of_timing.window.rtt.count == 3);
    CHECK(of_timing.window.rtt.zero_count == 1);
    CHECK(of_timing.window.percentile_valid == 0b111111);
    CHECK(of_timing.window.rtt_percentile_ns[LATMON_P99] == 2'000);
    CHECK((of_timing.window.valid & LATMON_WINDOW_HAS_LOSS_RATIO) == 0);
}

TEST_CASE("series_window: TCP acknowledgements have sum and extremes") {
    SeriesWindow window = open_window(LATMON_KIND_EXCHANGE);
    for (const std::uint32_t ack_ns : {0xffff'ffffU, 5U, 0xffff'ffffU}) {
        Sample sample = answer(1, 100'000, 100'000, origin_ns);
        sample.tcp_ack_ns = ack_ns;
        sample.valid |= LATMON_HAS_TCP_ACK;
        window.take(sample, {}, false);
    }
    const OwnedWindow owned = window.finish();
    CHECK(owned.window.tcp_ack_count == 3);
    CHECK(owned.window.tcp_ack_sum_ns == 2 * 0xffff'ffffLL + 5);
    CHECK(owned.window.tcp_ack_min_ns == 5);
    CHECK(owned.window.tcp_ack_max_ns == 0xffff'ffff);
}

TEST_CASE("series_window: cleared it is as new") {
    SeriesState state;
    SeriesWindow window =
        window_over(random_samples(3, 500, ms), state, Objective{0.9, Duration{1}});
    window.clear();
    CHECK_FALSE(window.is_open());
    window.open(WallTime{origin_ns}, Duration::from_s(1), LATMON_KIND_EXCHANGE, std::nullopt);
    CHECK(is_same(window.finish(), open_window(LATMON_KIND_EXCHANGE).finish()));
}

TEST_CASE("series_window: a status or class of tomorrow is neither answered nor lost") {
    SeriesWindow window = open_window(LATMON_KIND_EXCHANGE);
    Sample sample = answer(1, 100'000, 100'000, origin_ns);
    sample.status = 200;
    window.take(sample, {}, false);
    sample.status = LATMON_STATUS_OK;
    sample.owd_class = 99;
    sample.blame = 1U << 31U;
    window.take(sample, {}, false);
    const OwnedWindow owned = window.finish();
    CHECK(owned.window.samples == 2);
    CHECK(owned.window.answered == 1);
    CHECK(owned.window.lost == 0);
    CHECK(owned.window.tainted == 1);
}

}  // namespace
}  // namespace latmon
