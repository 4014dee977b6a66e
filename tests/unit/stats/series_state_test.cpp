// SPDX-License-Identifier: Apache-2.0
//
// Claims about what is found between one probe and the next, against a slow search through all of
// them.
#include "stats/series_state.hpp"

#include "unit/stats/samples.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace latmon {
namespace {

using namespace testing;
using Values = std::vector<std::int64_t>;

struct Found {
    Values rtt;
    Values fwd;
    Values rev;
    std::uint64_t runs = 0;
    std::uint64_t longest_run = 0;
};

Found run(std::span<const Sample> samples, SeriesState& state, bool leaves_out_tainted = false) {
    Found all;
    const auto append = [](Values& to, const Changes& from) {
        to.insert(to.end(), from.all().begin(), from.all().end());
    };
    for (const Sample& sample : samples) {
        const Findings found = state.take(sample, leaves_out_tainted);
        append(all.rtt, found.rtt);
        append(all.fwd, found.owd_fwd);
        append(all.rev, found.owd_rev);
        all.runs += found.is_new_run ? 1 : 0;
        all.longest_run = std::max(all.longest_run, found.run_length);
    }
    for (Values* values : {&all.rtt, &all.fwd, &all.rev})
        std::ranges::sort(*values);
    return all;
}

// Looks at every pair and every run once all is known.
Found search(std::span<const Sample> samples, bool leaves_out_tainted) {
    std::map<std::uint32_t, Sample> answered;
    std::set<std::uint32_t> lost;
    for (const Sample& sample : samples) {
        const bool is_stepped = (sample.blame & LATMON_BLAME_CLOCK_STEPPED) != 0;
        const bool is_out = is_stepped || (leaves_out_tainted && is_tainted(sample));
        if (is_answered(sample.status) && !is_out) answered[sample.sequence] = sample;
        if (is_lost(sample.status)) lost.insert(sample.sequence);
    }
    Found all;
    for (const auto& [sequence, after] : answered) {
        const auto found = answered.find(sequence - 1);
        if (found == answered.end()) continue;
        const Sample& before = found->second;
        all.rtt.push_back(after.rtt_ns - before.rtt_ns);
        if (after.owd_class == LATMON_OWD_NONE || before.owd_class == LATMON_OWD_NONE) continue;
        all.fwd.push_back((after.t2_ns - after.t1_ns) - (before.t2_ns - before.t1_ns));
        all.rev.push_back((after.t4_ns - after.t3_ns) - (before.t4_ns - before.t3_ns));
    }
    for (const std::uint32_t first : lost) {
        if (lost.contains(first - 1)) continue;
        std::uint64_t length = 1;
        while (lost.contains(first + static_cast<std::uint32_t>(length)))
            ++length;
        ++all.runs;
        all.longest_run = std::max(all.longest_run, length);
    }
    for (Values* values : {&all.rtt, &all.fwd, &all.rev})
        std::ranges::sort(*values);
    return all;
}

// Lonely losses far behind the others: after them no run that was joined is still to be made good.
void append_lonely_losses(std::vector<Sample>& samples) {
    for (std::uint32_t index = 0; index < 64; ++index)
        samples.push_back(
            probe_sample(1'000'000 + 2 * index, LATMON_STATUS_LOST, samples.back().time_ns + 1));
}

TEST_CASE("series_state: pairs and runs are found, in whatever order fates are told") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        std::vector<Sample> samples = random_samples(seed, 5'000, ms);
        append_lonely_losses(samples);
        for (const bool leaves_out_tainted : {false, true}) {
            SeriesState state;
            const Found found = run(samples, state, leaves_out_tainted);
            const Found expected = search(samples, leaves_out_tainted);
            CAPTURE(seed);
            CHECK(found.rtt.size() > 2'000);
            CHECK(found.rtt == expected.rtt);
            CHECK(found.fwd == expected.fwd);
            CHECK(found.rev == expected.rev);
            CHECK(found.runs == expected.runs);
            CHECK(found.longest_run == expected.longest_run);
        }
    }
}

TEST_CASE("series_state: a run is one, from whichever end it grows and wherever it is joined") {
    const auto lose = [](SeriesState& state, std::uint32_t sequence) {
        return state.take(probe_sample(sequence, LATMON_STATUS_LOST, 0), false);
    };
    SeriesState state;
    CHECK(lose(state, 10).is_new_run);
    CHECK(lose(state, 11).run_length == 2);
    CHECK(lose(state, 9).run_length == 3);
    CHECK(lose(state, 13).is_new_run);
    const Findings joint = lose(state, 12);
    CHECK_FALSE(joint.is_new_run);
    CHECK(joint.run_length == 5);
    CHECK(lose(state, 11).run_length == 0);   // Told twice.
    CHECK_FALSE(lose(state, 20).is_new_run);  // Made good.
    CHECK(lose(state, 30).is_new_run);
    const Findings last = lose(state, 0xffff'ffff);
    CHECK(last.is_new_run);
    CHECK(lose(state, 0).run_length == 2);
}

TEST_CASE("series_state: what is lost here, or late, or a copy, is no loss") {
    SeriesState state;
    std::uint32_t sequence = 0;
    for (const latmon_status_t status :
         {LATMON_STATUS_LOCAL_ERROR, LATMON_STATUS_LOST_LOCAL_TX, LATMON_STATUS_LOST_LOCAL_RX,
          LATMON_STATUS_LATE, LATMON_STATUS_DUPLICATE, LATMON_STATUS_INVALID})
        CHECK(state.take(probe_sample(sequence++, status, 0), false).run_length == 0);
    Sample without_number = probe_sample(50, LATMON_STATUS_LOST, 0);
    without_number.valid = 0;
    CHECK(state.take(without_number, false).run_length == 0);
}

TEST_CASE("series_state: an answer that fourteen others overtook still has its neighbours") {
    SeriesState state;
    state.take(answer(0, 100'000, 100'000, 0), false);
    for (std::uint32_t sequence = 2; sequence < 16; ++sequence)
        state.take(answer(sequence, 100'000, 100'000, 0), false);
    const Findings found = state.take(answer(1, 150'000, 100'000, 0), false);
    REQUIRE(found.rtt.all().size() == 2);
    CHECK(found.rtt.all()[0] == 50'000);
    CHECK(found.rtt.all()[1] == -50'000);
    CHECK(state.take(answer(1, 150'000, 100'000, 0), false).rtt.all().empty());
}

TEST_CASE("series_state: one that very many overtook does not take a younger one's place") {
    SeriesState state;
    state.take(answer(20, 100'000, 100'000, 0), false);
    CHECK(state.take(answer(4, 100'000, 100'000, 0), false).rtt.all().empty());
    CHECK(state.take(answer(21, 100'000, 100'000, 0), false).rtt.all().size() == 1);
}

TEST_CASE("series_state: a clock that is set makes no change of delay") {
    SeriesState state;
    state.take(answer(0, 100'000, 110'000, 0), false);
    // The peer's, between two probes.
    Sample set = answer(1, 120'000, 110'000, second);
    set.t2_ns += 3'600 * second;
    set.t3_ns += 3'600 * second;
    const Findings found = state.take(set, false);
    CHECK(found.rtt.all().size() == 1);
    CHECK(found.owd_fwd.all().empty());
    CHECK(found.owd_rev.all().empty());
    // Then it goes on by that clock.
    Sample next = answer(2, 130'000, 110'000, 2 * second);
    next.t2_ns += 3'600 * second;
    next.t3_ns += 3'600 * second;
    REQUIRE(state.take(next, false).owd_fwd.all().size() == 1);
    // Ours.
    Sample stepped = answer(3, 100'000, 100'000, 3 * second);
    stepped.blame = LATMON_BLAME_CLOCK_STEPPED;
    CHECK(state.take(stepped, false).rtt.all().empty());
    CHECK(state.take(answer(4, 100'000, 100'000, 4 * second), false).rtt.all().empty());
}

TEST_CASE("series_state: without T3 only the way there is compared") {
    SeriesState state;
    const auto old_node = [](std::uint32_t sequence, std::int64_t forward_ns) {
        Sample sample = answer(sequence, forward_ns, 100'000, 0);
        sample.valid &= ~LATMON_HAS_T3;
        sample.t3_ns = 0;
        return sample;
    };
    state.take(old_node(0, 100'000), false);
    const Findings found = state.take(old_node(1, 90'000), false);
    REQUIRE(found.owd_fwd.all().size() == 1);
    CHECK(found.owd_fwd.all()[0] == -10'000);
    CHECK(found.owd_rev.all().empty());
}

TEST_CASE("series_state: stamps that hold anything are compared with nothing") {
    SeriesState state;
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    for (std::uint32_t sequence = 0; sequence < 8; ++sequence) {
        Sample sample = answer(sequence, 100'000, 100'000, 0);
        sample.t2_ns = sequence % 2 == 0 ? most : -most;
        sample.t3_ns = sequence % 4 < 2 ? most : -most;
        sample.rtt_ns = sequence % 2 == 0 ? most : -most;
        CHECK(state.take(sample, false).rtt.all().empty());
    }
    CHECK(state.rtt_jitter_ns() == 0);
}

TEST_CASE("series_state: smoothed jitter is that of RFC 3550") {
    std::mt19937_64 random(4);
    SmoothedJitter jitter;
    double expected = 0;
    for (int turn = 0; turn < 2'000; ++turn) {
        const auto change_ns = static_cast<std::int64_t>(random() % 2'000'000) - 1'000'000;
        jitter.take(change_ns);
        expected += (std::abs(static_cast<double>(change_ns)) - expected) / 16;
        REQUIRE(std::abs(static_cast<double>(jitter.value_ns()) - expected) <= 1.5);
    }
    SmoothedJitter extreme;
    for (int turn = 0; turn < 1'000; ++turn)
        extreme.take(turn % 2 == 0 ? std::numeric_limits<std::int64_t>::min()
                                   : std::numeric_limits<std::int64_t>::max());
    CHECK(extreme.value_ns() > 0);
}

}  // namespace
}  // namespace latmon
