// SPDX-License-Identifier: Apache-2.0
//
// See selftest_figures.hpp.
#include "daemon/selftest_figures.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cmath>

namespace latmon {
namespace {

constexpr std::int64_t lateness_ns_max = 100'000;
constexpr std::uint64_t per_mille_max = 1;

constexpr std::uint32_t first_rate = 20'000;
constexpr std::uint32_t least_rate = 500;
constexpr std::uint32_t tries_max = 9;
constexpr double narrow_enough = 1.15;

bool is_above_share(std::uint64_t part, std::uint64_t whole) noexcept {
    return part * 1'000 > whole * per_mille_max;
}

// To two digits: no search of a few steps knows more.
std::uint32_t rounded(double rate) noexcept {
    const double unit = std::pow(10.0, std::floor(std::log10(rate)) - 1);
    return static_cast<std::uint32_t>(std::llround(std::round(rate / unit) * unit));
}

bool is_kernel(std::uint8_t stamp) noexcept {
    return stamp == LATMON_STAMP_KERNEL || stamp == LATMON_STAMP_HW;
}

}  // namespace

void PhaseAccounts::add(const ProbeCounters& counters) noexcept {
    sent += counters.sent.read();
    answered += counters.answered.read();
    lost += counters.lost.read();
    unreachable += counters.unreachable.read();
    failed += counters.local_error.read();
    missed += counters.missed.read();
}

void PhaseFigures::add(const Sample& sample, const PhaseWindow& window) {
    if (sample.kind != LATMON_KIND_EXCHANGE || (sample.valid & LATMON_HAS_SCHEDULE) == 0) return;
    if (sample.scheduled_ns < window.begin.ns || sample.scheduled_ns >= window.end.ns) return;
    if (sample.status == LATMON_STATUS_LATE || sample.status == LATMON_STATUS_DUPLICATE) return;
    lateness.record(sample.sequence, sample.lateness_ns);
    if ((sample.valid & LATMON_HAS_RTT) == 0) return;
    rtt.record(sample.sequence, sample.rtt_ns);
    ++stamps[{sample.t1_stamp, sample.t2_stamp, sample.t3_stamp, sample.t4_stamp}];
    constexpr std::uint32_t both = LATMON_HAS_LOCAL_TX | LATMON_HAS_LOCAL_RX;
    if ((sample.valid & both) != both) return;
    dwell.record(sample.sequence, sample.local_tx_ns + sample.local_rx_ns);
}

std::uint64_t PhaseFigures::stamped() const noexcept {
    std::uint64_t count = 0;
    for (const auto& [kinds, of_kinds] : stamps) {
        if (is_kernel(kinds[0]) && is_kernel(kinds[3])) count += of_kinds;
    }
    return count;
}

std::uint64_t PhaseFigures::fully_stamped() const noexcept {
    std::uint64_t count = 0;
    for (const auto& [kinds, of_kinds] : stamps) {
        if (std::ranges::all_of(kinds, is_kernel)) count += of_kinds;
    }
    return count;
}

std::optional<AddedError> added_error(const PhaseFigures& phase, std::int64_t least_rtt_ns) {
    const std::optional<std::int64_t> p50_ns = phase.rtt.percentile_ns(500);
    const std::optional<std::int64_t> p99_ns = phase.rtt.percentile_ns(990);
    if (!p50_ns || !p99_ns) return std::nullopt;
    return AddedError{.p50_ns = *p50_ns - least_rtt_ns, .p99_ns = *p99_ns - least_rtt_ns};
}

std::optional<std::int64_t> least_rtt_ns(std::span<const PhaseFigures> phases) {
    std::optional<std::int64_t> least;
    for (const PhaseFigures& phase : phases) {
        const std::optional<std::int64_t> of_phase = phase.rtt.percentile_ns(0);
        if (of_phase) least = std::min(least.value_or(*of_phase), *of_phase);
    }
    return least;
}

std::string_view limit_word(RateLimit limit) noexcept {
    switch (limit) {
        case RateLimit::none:
            return "none";
        case RateLimit::lateness:
            return "lateness";
        case RateLimit::missed:
            return "missed";
        case RateLimit::lost:
            return "lost";
    }
    LATMON_ASSERT(false);
    return "";
}

RateLimit limit_of(const PhaseFigures& step) {
    const PhaseAccounts& accounts = step.accounts;
    const std::optional<std::int64_t> median_ns = step.lateness.percentile_ns(500);
    // Missed slots make those that are left less late, so that they come first.
    if (is_above_share(accounts.missed, accounts.slots())) return RateLimit::missed;
    if (!median_ns || *median_ns > lateness_ns_max) return RateLimit::lateness;
    if (is_above_share(accounts.wasted(), accounts.slots())) return RateLimit::lost;
    return RateLimit::none;
}

std::optional<std::uint32_t> CapacitySearch::next() const noexcept {
    if (tries_ == tries_max) return std::nullopt;
    if (best_ == rate_max_) return std::nullopt;
    if (least_failed_ == 0) {
        return std::min(best_ == 0 ? first_rate : best_ * 2, rate_max_);
    }
    if (best_ == 0) {
        if (least_failed_ / 2 < least_rate) return std::nullopt;
        return least_failed_ / 2;
    }
    const auto low = static_cast<double>(best_);
    const auto high = static_cast<double>(least_failed_);
    if (high <= low * narrow_enough) return std::nullopt;
    const std::uint32_t middle = rounded(std::sqrt(low * high));
    if (middle <= best_ || middle >= least_failed_) return std::nullopt;
    return middle;
}

void CapacitySearch::note(std::uint32_t rate_per_s, bool is_sustained) noexcept {
    ++tries_;
    if (is_sustained) {
        best_ = std::max(best_, rate_per_s);
    } else if (least_failed_ == 0 || rate_per_s < least_failed_) {
        least_failed_ = rate_per_s;
    }
}

Result<std::vector<PhaseFigures>> run_search(CapacitySearch& search, const StepRun& run) {
    std::vector<PhaseFigures> steps;
    while (const std::optional<std::uint32_t> rate = search.next()) {
        Result<PhaseFigures> step = run(*rate);
        if (step && limit_of(*step) != RateLimit::none) step = run(*rate);
        if (!step) return std::unexpected(step.error());
        search.note(*rate, limit_of(*step) == RateLimit::none);
        steps.push_back(std::move(*step));
    }
    return steps;
}

}  // namespace latmon
