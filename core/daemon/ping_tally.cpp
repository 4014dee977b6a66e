// SPDX-License-Identifier: Apache-2.0
//
// See ping_tally.hpp.
#include "daemon/ping_tally.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cmath>

namespace latmon {

// -- One series ---------------------------------------------------------------------------------

void TimeSeries::record(std::uint32_t sequence, std::int64_t value_ns) {
    values_.push_back({sequence, value_ns});
}

void TimeSeries::sort() const {
    if (sorted_.size() == values_.size()) return;
    sorted_.clear();
    sorted_.reserve(values_.size());
    for (const Value& value : values_)
        sorted_.push_back(value.ns);
    std::sort(sorted_.begin(), sorted_.end());
}

std::optional<std::int64_t> TimeSeries::percentile_ns(std::uint32_t per_mille,
                                                      std::uint64_t lost) const {
    LATMON_ASSERT(per_mille <= 1'000);
    if (values_.empty()) return std::nullopt;
    sort();
    const std::uint64_t all = sorted_.size() + lost;
    const std::uint64_t rank = std::max<std::uint64_t>((all * per_mille + 999) / 1'000, 1);
    if (rank > sorted_.size()) return std::nullopt;
    return sorted_[rank - 1];
}

std::optional<std::int64_t> TimeSeries::max_ns() const {
    return percentile_ns(1'000);
}

std::optional<Jitter> TimeSeries::jitter() const {
    if (values_.size() < 2) return std::nullopt;
    double estimate = 0;
    for (std::size_t index = 1; index < values_.size(); ++index) {
        const auto change = static_cast<double>(values_[index].ns - values_[index - 1].ns);
        estimate += (std::abs(change) - estimate) / 16;
    }
    std::vector<Value> sent = values_;
    std::sort(sent.begin(), sent.end(),
              [](const Value& a, const Value& b) { return a.sequence < b.sequence; });
    double sum = 0;
    std::uint64_t pairs = 0;
    for (std::size_t index = 1; index < sent.size(); ++index) {
        if (sent[index].sequence != sent[index - 1].sequence + 1) continue;
        sum += std::abs(static_cast<double>(sent[index].ns - sent[index - 1].ns));
        ++pairs;
    }
    Jitter jitter{.rfc3550_ns = std::llround(estimate), .ipdv_mean_ns = 0, .has_ipdv = pairs > 0};
    if (pairs > 0) jitter.ipdv_mean_ns = std::llround(sum / static_cast<double>(pairs));
    return jitter;
}

// -- The run ------------------------------------------------------------------------------------

namespace {

void record(TimeSeries& series, const Sample& sample, std::uint32_t bit, std::int64_t value_ns) {
    if ((sample.valid & bit) != 0) series.record(sample.sequence, value_ns);
}

void add_answer(PingTally& tally, const Sample& sample) {
    ++tally.answered;
    record(tally.rtt, sample, LATMON_HAS_RTT, sample.rtt_ns);
    record(tally.rtt_user, sample, LATMON_HAS_RTT_USER, sample.rtt_user_ns);
    record(tally.forward_changes, sample, LATMON_HAS_OWD_FWD, sample.owd_fwd_ns);
    record(tally.reverse_changes, sample, LATMON_HAS_OWD_REV, sample.owd_rev_ns);
    const bool is_absolute =
        sample.owd_class == LATMON_OWD_BOUNDED || sample.owd_class == LATMON_OWD_ESTIMATED;
    if (is_absolute) {
        record(tally.forward, sample, LATMON_HAS_OWD_FWD, sample.owd_fwd_ns);
        record(tally.reverse, sample, LATMON_HAS_OWD_REV, sample.owd_rev_ns);
    }
    ++tally.stamps[{sample.t1_stamp, sample.t2_stamp, sample.t3_stamp, sample.t4_stamp}];
    ++tally.owd.at(sample.owd_class);
}

// A reply that came again, or too late, is no second exchange.
bool is_fate(std::uint8_t status) noexcept {
    return status != LATMON_STATUS_LATE && status != LATMON_STATUS_DUPLICATE &&
           status != LATMON_STATUS_INVALID;
}

void add_blame(PingTally& tally, const Sample& sample) {
    if (sample.blame != 0) ++tally.tainted;
    for (std::size_t bit = 0; bit < tally.blamed.size(); ++bit) {
        tally.blamed[bit] += sample.blame >> bit & 1U;
    }
}

}  // namespace

std::uint64_t PingTally::sum_of(const Reasons& reasons) noexcept {
    std::uint64_t sum = 0;
    for (const auto& [error, count] : reasons)
        sum += count;
    return sum;
}

void PingTally::add(const Sample& sample) {
    if (sample.kind != LATMON_KIND_EXCHANGE) return;
    if (is_fate(sample.status)) add_blame(*this, sample);
    switch (static_cast<latmon_status_t>(sample.status)) {
        case LATMON_STATUS_REORDERED:
            ++reordered;
            [[fallthrough]];
        case LATMON_STATUS_OK:
            add_answer(*this, sample);
            return;
        case LATMON_STATUS_LOST:
            ++lost_unknown;
            return;
        case LATMON_STATUS_LOST_FORWARD:
            ++lost_forward;
            return;
        case LATMON_STATUS_LOST_REVERSE:
            ++lost_reverse;
            return;
        case LATMON_STATUS_LOST_LOCAL_TX:
            ++lost_local_tx;
            return;
        case LATMON_STATUS_LOST_LOCAL_RX:
            ++lost_local_rx;
            return;
        case LATMON_STATUS_LATE:
            ++late;
            return;
        case LATMON_STATUS_DUPLICATE:
            ++duplicate;
            return;
        case LATMON_STATUS_UNREACHABLE:
            ++unreachable[sample.error];
            return;
        case LATMON_STATUS_LOCAL_ERROR:
            ++local_errors[sample.error];
            return;
        case LATMON_STATUS_INVALID:
            return;
    }
    LATMON_ASSERT(false);
}

}  // namespace latmon
