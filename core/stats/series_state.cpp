// SPDX-License-Identifier: Apache-2.0
//
// See series_state.hpp.
#include "stats/series_state.hpp"

#include "stats/wide.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>

namespace latmon {
namespace {

constexpr std::uint32_t answered_max = 16;
constexpr std::size_t runs_max = 64;
// A run this far behind is forgotten, long before its numbers come again.
constexpr std::uint32_t run_age_max = 1U << 30U;
// Two stamps of one clock, read on two CPUs, may differ by so much.
constexpr std::int64_t stamp_noise_ns = 2'000;

// Nothing where it does not fit, which real delays always do.
std::optional<std::int64_t> difference(std::int64_t from, std::int64_t to) noexcept {
    std::int64_t result = 0;
    if (__builtin_sub_overflow(to, from, &result)) return std::nullopt;
    return result;
}

bool has(const Sample& sample, std::uint32_t fields) noexcept {
    return (sample.valid & fields) == fields;
}

}  // namespace

void SmoothedJitter::take(std::int64_t change_ns) noexcept {
    // A 64th of what fits, or 4.6 years: its sixteenths and their sum do not overflow.
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 64;
    const std::int64_t size = change_ns < -most ? most : std::min(std::abs(change_ns), most);
    sixteenths_ += size - ((sixteenths_ + 8) >> 4);
}

Findings SeriesState::take(const Sample& sample, bool leaves_out_tainted) {
    Findings found;
    if (!has(sample, LATMON_HAS_SEQUENCE)) return found;
    if (is_lost(sample.status)) {
        take_loss(sample.sequence, found);
    } else if (is_answered(sample.status)) {
        const bool is_off_clock = (sample.blame & LATMON_BLAME_CLOCK_STEPPED) != 0;
        if (is_off_clock || (leaves_out_tainted && is_tainted(sample))) return found;
        take_answer(sample, found);
    }
    return found;
}

// -- Changes from probe to probe ----------------------------------------------------------------

// Stamps of which nothing is believed, by the class of their one-way delay, may be of two clocks.
SeriesState::Answered SeriesState::read(const Sample& sample) noexcept {
    Answered answered;
    answered.sequence = sample.sequence;
    answered.is_set = true;
    answered.has_rtt = has(sample, LATMON_HAS_RTT);
    answered.rtt_ns = sample.rtt_ns;
    if (sample.owd_class == LATMON_OWD_NONE) return answered;
    if (!has(sample, LATMON_HAS_T1 | LATMON_HAS_T2 | LATMON_HAS_T4)) return answered;
    const bool has_t3 = has(sample, LATMON_HAS_T3);
    const auto fwd = difference(sample.t1_ns, sample.t2_ns);
    const auto rev = difference(has_t3 ? sample.t3_ns : sample.t2_ns, sample.t4_ns);
    if (!fwd || !rev) return answered;
    answered.has_fwd = true;
    answered.has_rev = has_t3;
    answered.fwd_ns = *fwd;
    answered.rev_ns = *rev;
    return answered;
}

const SeriesState::Answered* SeriesState::find(std::uint32_t sequence) const noexcept {
    const Answered& answered = answered_[sequence % answered_max];
    return answered.is_set && answered.sequence == sequence ? &answered : nullptr;
}

void SeriesState::compare(const Answered& before, const Answered& after, Findings& found) noexcept {
    // The clocks' offset is in both ways, and not in their sum: no way takes longer than that.
    const Wide longest =
        std::max(Wide{before.fwd_ns} + before.rev_ns, Wide{after.fwd_ns} + after.rev_ns) +
        stamp_noise_ns;
    const auto note = [](std::int64_t change_ns, Changes& changes, SmoothedJitter& jitter) {
        changes.add(change_ns);
        jitter.take(change_ns);
    };
    const auto note_one_way = [&](std::int64_t from, std::int64_t to, Changes& changes,
                                  SmoothedJitter& jitter) {
        const auto change = difference(from, to);
        if (change && *change <= longest && *change >= -longest) note(*change, changes, jitter);
    };
    if (before.has_rtt && after.has_rtt) {
        if (const auto change = difference(before.rtt_ns, after.rtt_ns)) {
            note(*change, found.rtt, rtt_);
        }
    }
    if (before.has_fwd && after.has_fwd) {
        note_one_way(before.fwd_ns, after.fwd_ns, found.owd_fwd, owd_fwd_);
    }
    if (before.has_rev && after.has_rev) {
        note_one_way(before.rev_ns, after.rev_ns, found.owd_rev, owd_rev_);
    }
}

void SeriesState::take_answer(const Sample& sample, Findings& found) {
    if (answered_.empty()) answered_.resize(answered_max);
    if (find(sample.sequence) != nullptr) return;
    const Answered answered = read(sample);
    if (const Answered* const before = find(sample.sequence - 1)) {
        compare(*before, answered, found);
    }
    if (const Answered* const after = find(sample.sequence + 1)) compare(answered, *after, found);
    // One that was overtaken by so many does not take the place of a younger one.
    Answered& place = answered_[sample.sequence % answered_max];
    const bool is_younger = static_cast<std::int32_t>(sample.sequence - place.sequence) > 0;
    if (!place.is_set || is_younger) place = answered;
}

// -- Runs of losses -----------------------------------------------------------------------------

void SeriesState::begin_run(std::uint32_t sequence, Findings& found) {
    std::erase_if(runs_, [sequence](const Run& run) {
        const auto age = static_cast<std::int32_t>(sequence - run.last);
        return static_cast<std::uint32_t>(std::abs(std::int64_t{age})) > run_age_max;
    });
    if (runs_.size() == runs_max) runs_.erase(runs_.begin());
    runs_.push_back({.first = sequence, .last = sequence});
    found.run_length = 1;
    found.is_new_run = joined_ == 0;
    if (joined_ > 0) --joined_;
}

void SeriesState::take_loss(std::uint32_t sequence, Findings& found) {
    const auto is_in = [sequence](const Run& run) {
        return sequence - run.first <= run.last - run.first;
    };
    if (std::ranges::any_of(runs_, is_in)) return;
    const auto left = std::ranges::find(runs_, sequence - 1, &Run::last);
    const auto right = std::ranges::find(runs_, sequence + 1, &Run::first);
    if (left == runs_.end() && right == runs_.end()) {
        begin_run(sequence, found);
        return;
    }
    Run& run = left != runs_.end() ? *left : *right;
    const bool is_join = left != runs_.end() && right != runs_.end();
    run.last = right != runs_.end() ? right->last : sequence;
    if (left == runs_.end()) run.first = sequence;
    found.run_length = std::uint64_t{run.last - run.first} + 1;
    if (is_join) {
        runs_.erase(right);
        ++joined_;
    }
}

}  // namespace latmon
