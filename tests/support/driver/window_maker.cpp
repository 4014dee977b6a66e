// SPDX-License-Identifier: Apache-2.0
//
// See window_maker.hpp.
#include "support/driver/window_maker.hpp"

#include <algorithm>
#include <cmath>

namespace latmon::driver {
namespace {

bool has(const latmon_sample_t& sample, std::uint32_t bit) noexcept {
    return (sample.valid & bit) != 0;
}

bool is_network_loss(std::uint8_t status) noexcept {
    return status == LATMON_STATUS_LOST || status == LATMON_STATUS_LOST_FORWARD ||
           status == LATMON_STATUS_LOST_REVERSE || status == LATMON_STATUS_UNREACHABLE;
}

bool is_local_loss(std::uint8_t status) noexcept {
    return status == LATMON_STATUS_LOCAL_ERROR || status == LATMON_STATUS_LOST_LOCAL_TX ||
           status == LATMON_STATUS_LOST_LOCAL_RX;
}

}  // namespace

std::int32_t bucket_index(std::int64_t value_ns) {
    const long double value = std::abs(static_cast<long double>(value_ns)) / 1e9L;
    const auto end_of = [](std::int32_t index) -> long double {
        return std::exp2(static_cast<long double>(index) / 128.0L);
    };
    std::int32_t index = static_cast<std::int32_t>(std::ceil(std::log2(value) * 128.0L));
    while (end_of(index) < value) {
        ++index;
    }
    while (end_of(index - 1) >= value) {
        --index;
    }
    return index;
}

void WindowMaker::Values::take(std::int64_t value_ns) {
    sums.min_ns = sums.count == 0 ? value_ns : std::min(sums.min_ns, value_ns);
    sums.max_ns = sums.count == 0 ? value_ns : std::max(sums.max_ns, value_ns);
    ++sums.count;
    sums.sum_ns += value_ns;
    if (value_ns == 0) {
        ++sums.zero_count;
    } else {
        ++(value_ns > 0 ? positive : negative)[bucket_index(value_ns)];
    }
}

void WindowMaker::Made::place(Values& values, latmon_distribution_t& distribution) {
    const auto append = [&](const std::map<std::int32_t, std::uint32_t>& cells,
                            std::uint32_t& first, std::uint32_t& count) {
        first = static_cast<std::uint32_t>(buckets.size());
        count = static_cast<std::uint32_t>(cells.size());
        for (const auto& [index, number] : cells) {
            buckets.push_back({.index = index, .count = number});
        }
    };
    distribution = values.sums;
    append(values.positive, distribution.positive_first, distribution.positive_count);
    append(values.negative, distribution.negative_first, distribution.negative_count);
}

void WindowMaker::take(const latmon_sample_t& sample) {
    std::unique_ptr<Made>& made = open_[sample.series_id];
    if (made == nullptr) made = std::make_unique<Made>();
    latmon_window_t& window = made->window;
    ++window.samples;
    ++window.by_status[sample.status];
    const bool is_answered =
        sample.status == LATMON_STATUS_OK || sample.status == LATMON_STATUS_REORDERED;
    window.answered += is_answered ? 1U : 0U;
    window.lost += is_network_loss(sample.status) ? 1U : 0U;
    window.lost_local += is_local_loss(sample.status) ? 1U : 0U;
    window.tainted += (sample.blame & ~LATMON_BLAME_CLOCK_UNSYNCED) != 0 ? 1U : 0U;
    if (has(sample, LATMON_HAS_SCHEDULE)) {
        window.valid |= LATMON_WINDOW_HAS_LATENESS;
        ++window.lateness_count;
        window.lateness_sum_ns += sample.lateness_ns;
        window.lateness_max_ns = std::max(window.lateness_max_ns, sample.lateness_ns);
    }
    const bool is_delay =
        sample.owd_class == LATMON_OWD_BOUNDED || sample.owd_class == LATMON_OWD_ESTIMATED;
    if (is_answered) ++window.by_owd_class[sample.owd_class];
    if (is_delay && has(sample, LATMON_HAS_OWD_FWD)) made->owd_fwd.take(sample.owd_fwd_ns);
    if (is_delay && has(sample, LATMON_HAS_OWD_REV)) made->owd_rev.take(sample.owd_rev_ns);
    if (!has(sample, LATMON_HAS_RTT)) return;
    made->rtt.take(sample.rtt_ns);
    const bool has_slowest = (window.valid & LATMON_WINDOW_HAS_SLOWEST) != 0;
    if (!has_slowest || sample.rtt_ns > window.slowest_rtt_ns) {
        window.valid |= LATMON_WINDOW_HAS_SLOWEST;
        window.slowest_rtt_ns = sample.rtt_ns;
        window.slowest_time_ns = sample.time_ns;
        window.slowest_sequence = sample.sequence;
    }
}

const std::vector<const latmon_window_t*>& WindowMaker::windows(std::int64_t begin_ns,
                                                                std::int64_t length_ns) {
    closed_ = std::move(open_);
    open_.clear();
    shown_.clear();
    for (auto& [id, made] : closed_) {
        latmon_window_t& window = made->window;
        window.struct_size = sizeof(latmon_window_t);
        window.series_id = id;
        window.begin_ns = begin_ns;
        window.length_ns = length_ns;
        made->place(made->rtt, window.rtt);
        made->place(made->owd_fwd, window.owd_fwd);
        made->place(made->owd_rev, window.owd_rev);
        window.buckets = made->buckets.data();
        window.bucket_count = static_cast<std::uint32_t>(made->buckets.size());
        if (window.answered + window.lost > 0) {
            window.valid |= LATMON_WINDOW_HAS_LOSS_RATIO;
            window.loss_ratio = static_cast<double>(window.lost) /
                                static_cast<double>(window.answered + window.lost);
        }
        shown_.push_back(&window);
    }
    return shown_;
}

}  // namespace latmon::driver
