// SPDX-License-Identifier: Apache-2.0
//
// See series_window.hpp.
#include "stats/series_window.hpp"

#include "stats/window_tools.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

namespace latmon {
namespace {

constexpr std::array<double, LATMON_PERCENTILES> percentiles{0.5, 0.9, 0.95, 0.99, 0.999, 0.9999};

bool has(const Sample& sample, std::uint32_t fields) noexcept {
    return (sample.valid & fields) == fields;
}

bool is_probing(std::uint32_t kind) noexcept {
    return kind == LATMON_KIND_EXCHANGE || kind == LATMON_KIND_CONNECT;
}

bool is_value(std::uint32_t kind) noexcept {
    return kind == LATMON_KIND_COUNTER || kind == LATMON_KIND_GAUGE;
}

template <typename Counts>
void add_all(Counts& to, const Counts& from) noexcept {
    for (std::size_t index = 0; index < to.size(); ++index)
        to[index] += from[index];
}

// How many packets a sample tells of: one but for STATUS_INVALID (latmon/sample.h).
std::uint64_t count_of(const Sample& sample) noexcept {
    const bool is_sum =
        sample.status == LATMON_STATUS_INVALID && (sample.valid & LATMON_HAS_VALUE) != 0;
    return is_sum && sample.value > 0 ? static_cast<std::uint64_t>(sample.value) : 1;
}

// Of those that pass `is_one`, by status.
template <typename IsOne>
std::uint64_t sum_of(const std::array<std::uint32_t, LATMON_WINDOW_STATUSES>& by_status,
                     IsOne is_one) noexcept {
    std::uint64_t sum = 0;
    for (std::size_t status = 0; status < by_status.size(); ++status)
        if (is_one(static_cast<std::uint8_t>(status))) sum += by_status[status];
    return sum;
}

// The longer, then the earlier, then the lower number: the same in whatever order they come.
void keep_slowest(Named& slowest, const Named& other) noexcept {
    const auto rank = [](const Named& named) {
        return std::tuple(-named.rtt_ns, named.time_ns, named.sequence);
    };
    if (other.is_set == 0) return;
    if (slowest.is_set == 0 || rank(other) < rank(slowest)) slowest = other;
}

void keep_last(Named& last, const Named& other) noexcept {
    if (other.is_set == 0) return;
    if (last.is_set == 0 || other.time_ns >= last.time_ns) last = other;
}

void fill(latmon_variation_t& to, const Variation& from) noexcept {
    to = {.count = from.count,
          .abs_sum_ns = narrow(from.abs_sum_ns),
          .min_ns = from.min_ns,
          .max_ns = from.max_ns,
          .smoothed_ns = from.smoothed_ns};
}

// Appends one side's buckets, and says where they stand.
void fill(const BucketCounts& from, std::vector<latmon_bucket_t>& buckets, std::uint32_t& first,
          std::uint32_t& count) {
    first = static_cast<std::uint32_t>(buckets.size());
    from.each([&buckets](std::int32_t index, std::uint64_t values) {
        // No window lasts long enough for more.
        constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
        const auto bounded = static_cast<std::uint32_t>(std::min(values, most));
        buckets.push_back({.index = index, .count = bounded});
    });
    count = static_cast<std::uint32_t>(buckets.size()) - first;
}

void fill(latmon_distribution_t& to, const Histogram& from, std::vector<latmon_bucket_t>& buckets) {
    const Histogram::Totals& totals = from.totals();
    to = {};
    if (totals.count == 0) return;
    to.count = totals.count;
    to.sum_ns = narrow(totals.sum_ns);
    to.min_ns = totals.min_ns;
    to.max_ns = totals.max_ns;
    to.zero_count = totals.zero_count;
    fill(from.positive(), buckets, to.positive_first, to.positive_count);
    fill(from.negative(), buckets, to.negative_first, to.negative_count);
}

// 99.9 % of 1,000 are 999: the rounding of a ratio must not ask for a bit of one exchange more.
// Nothing keeps no promise, nor breaks one.
bool is_kept(double ratio, std::uint64_t good, std::uint64_t count) noexcept {
    constexpr double rounding = 1e-6;  // Of an exchange; windows hold less than 2^33 of them.
    return count > 0 && static_cast<double>(good) + rounding >= ratio * static_cast<double>(count);
}

}  // namespace

// -- Variations ---------------------------------------------------------------------------------

void Variation::take(const Changes& changes) noexcept {
    for (const std::int64_t change_ns : changes.all()) {
        min_ns = count == 0 ? change_ns : std::min(min_ns, change_ns);
        max_ns = count == 0 ? change_ns : std::max(max_ns, change_ns);
        abs_sum_ns += change_ns < 0 ? -Wide{change_ns} : Wide{change_ns};
        ++count;
    }
}

void Variation::merge(const Variation& other) noexcept {
    smoothed_ns = other.smoothed_ns;
    if (other.count == 0) return;
    min_ns = count == 0 ? other.min_ns : std::min(min_ns, other.min_ns);
    max_ns = count == 0 ? other.max_ns : std::max(max_ns, other.max_ns);
    abs_sum_ns += other.abs_sum_ns;
    count += other.count;
}

// -- While it is open ---------------------------------------------------------------------------

void SeriesWindow::open(WallTime begin, Duration length, latmon_kind_t of_kind,
                        const std::optional<Objective>& objective) noexcept {
    begin_ns = begin.ns;
    length_ns = length.ns;
    kind = of_kind;
    set_objective(objective);
}

void SeriesWindow::set_objective(const std::optional<Objective>& objective) noexcept {
    const Objective now = objective.value_or(Objective{});
    if (now == Objective{objective_ratio, Duration{objective_rtt_ns}}) return;
    objective_ratio = now.ratio;
    objective_rtt_ns = now.rtt.ns;
    objective_count = 0;
    objective_good = 0;
}

void SeriesWindow::note_jitter(const SeriesState& state) noexcept {
    rtt_ipdv.smoothed_ns = state.rtt_jitter_ns();
    owd_fwd_ipdv.smoothed_ns = state.owd_fwd_jitter_ns();
    owd_rev_ipdv.smoothed_ns = state.owd_rev_jitter_ns();
}

void SeriesWindow::clear() noexcept {
    each_number(*this, [](auto& number) { number = {}; });
    each_histogram(*this, [](Histogram& histogram) { histogram.clear(); });
}

SeriesWindow SeriesWindow::take_out() {
    SeriesWindow taken = std::exchange(*this, SeriesWindow{});
    rtt.make_room_as(taken.rtt);
    owd_fwd.make_room_as(taken.owd_fwd);
    owd_rev.make_room_as(taken.owd_rev);
    return taken;
}

void SeriesWindow::take(const Sample& sample, const Findings& found, bool leaves_out_tainted) {
    ++samples;
    if (sample.status < by_status.size()) {
        std::uint32_t& sum = by_status[sample.status];
        const std::uint64_t grown = sum + count_of(sample);
        sum = static_cast<std::uint32_t>(std::min<std::uint64_t>(grown, UINT32_MAX));
    }
    if (is_afterthought(sample.status)) return;
    note_host(sample);
    const bool is_left_out = leaves_out_tainted && is_tainted(sample);
    if (is_left_out) ++left_out;
    if (is_value(kind)) {
        take_value(sample);
    } else if (is_answered(sample.status)) {
        take_answer(sample, is_left_out);
    } else if (is_lost(sample.status)) {
        take_loss(found, is_left_out);
    }
    rtt_ipdv.take(found.rtt);
    owd_fwd_ipdv.take(found.owd_fwd);
    owd_rev_ipdv.take(found.owd_rev);
}

void SeriesWindow::note_host(const Sample& sample) noexcept {
    for (std::size_t bit = 0; sample.blame != 0 && bit < by_blame.size(); ++bit)
        by_blame[bit] += (sample.blame >> bit) & 1U;
    if (is_tainted(sample)) ++tainted;
    if (!has(sample, LATMON_HAS_SCHEDULE)) return;
    const bool is_first = lateness_count == 0;
    lateness_max_ns = is_first ? sample.lateness_ns : std::max(lateness_max_ns, sample.lateness_ns);
    lateness_sum_ns += sample.lateness_ns;
    ++lateness_count;
}

void SeriesWindow::take_answer(const Sample& sample, bool is_left_out) {
    if (sample.owd_class < by_owd_class.size()) ++by_owd_class[sample.owd_class];
    if (kind == LATMON_KIND_TIMING) {
        if (has(sample, LATMON_HAS_VALUE)) take_duration(sample, sample.value, is_left_out);
        return;
    }
    if (has(sample, LATMON_HAS_RTT)) take_duration(sample, sample.rtt_ns, is_left_out);
    if (is_left_out) return;
    if (sample.owd_class == LATMON_OWD_BOUNDED || sample.owd_class == LATMON_OWD_ESTIMATED) {
        if (has(sample, LATMON_HAS_OWD_FWD)) owd_fwd.record(sample.owd_fwd_ns);
        if (has(sample, LATMON_HAS_OWD_REV)) owd_rev.record(sample.owd_rev_ns);
    }
    if (!has(sample, LATMON_HAS_TCP_ACK)) return;
    const bool is_first = tcp_ack_count == 0;
    tcp_ack_min_ns = is_first ? sample.tcp_ack_ns : std::min(tcp_ack_min_ns, sample.tcp_ack_ns);
    tcp_ack_max_ns = std::max(tcp_ack_max_ns, sample.tcp_ack_ns);
    tcp_ack_sum_ns += sample.tcp_ack_ns;
    ++tcp_ack_count;
}

void SeriesWindow::take_duration(const Sample& sample, std::int64_t rtt_ns, bool is_left_out) {
    const Named named{
        .rtt_ns = rtt_ns, .time_ns = sample.time_ns, .sequence = sample.sequence, .is_set = 1};
    keep_last(last, named);
    if (is_left_out) return;
    keep_slowest(slowest, named);
    rtt.record(rtt_ns);
    if (objective_ratio == 0) return;
    ++objective_count;
    if (rtt_ns <= objective_rtt_ns) ++objective_good;
}

void SeriesWindow::take_loss(const Findings& found, bool is_left_out) {
    if (found.is_new_run) ++loss_runs;
    loss_run_max = std::max(loss_run_max, found.run_length);
    if (is_left_out) {
        ++lost_left_out;
    } else if (objective_ratio != 0) {
        ++objective_count;
    }
}

void SeriesWindow::take_value(const Sample& sample) {
    if (!has(sample, LATMON_HAS_VALUE)) return;
    if (kind == LATMON_KIND_COUNTER) {
        value_sum += sample.value;
        ++value_count;
        return;
    }
    // Plus 0 makes -0 of it: both compare equal, and which of them is least depends on the order.
    const double value = std::bit_cast<double>(sample.value) + 0.0;
    if (std::isnan(value)) return;
    value_min = value_count == 0 ? value : std::min(value_min, value);
    value_max = value_count == 0 ? value : std::max(value_max, value);
    if (value_count == 0 || sample.time_ns >= value_last_ns) {
        value_last = value;
        value_last_ns = sample.time_ns;
    }
    ++value_count;
}

// -- Merging ------------------------------------------------------------------------------------

void SeriesWindow::merge(const SeriesWindow& other) {
    merge_counts(other);
    rtt.merge(other.rtt);
    owd_fwd.merge(other.owd_fwd);
    owd_rev.merge(other.owd_rev);
    rtt_ipdv.merge(other.rtt_ipdv);
    owd_fwd_ipdv.merge(other.owd_fwd_ipdv);
    owd_rev_ipdv.merge(other.owd_rev_ipdv);
    keep_slowest(slowest, other.slowest);
    keep_last(last, other.last);
    merge_values(other);
}

void SeriesWindow::merge_counts(const SeriesWindow& other) noexcept {
    samples += other.samples;
    add_all(by_status, other.by_status);
    add_all(by_blame, other.by_blame);
    add_all(by_owd_class, other.by_owd_class);
    loss_runs += other.loss_runs;
    loss_run_max = std::max(loss_run_max, other.loss_run_max);
    tainted += other.tainted;
    left_out += other.left_out;
    lost_left_out += other.lost_left_out;
    if (other.lateness_count > 0) {
        lateness_max_ns = lateness_count == 0 ? other.lateness_max_ns
                                              : std::max(lateness_max_ns, other.lateness_max_ns);
        lateness_sum_ns += other.lateness_sum_ns;
        lateness_count += other.lateness_count;
    }
    if (other.tcp_ack_count > 0) {
        tcp_ack_min_ns = tcp_ack_count == 0 ? other.tcp_ack_min_ns
                                            : std::min(tcp_ack_min_ns, other.tcp_ack_min_ns);
        tcp_ack_max_ns = std::max(tcp_ack_max_ns, other.tcp_ack_max_ns);
        tcp_ack_sum_ns += other.tcp_ack_sum_ns;
        tcp_ack_count += other.tcp_ack_count;
    }
    const bool is_same_objective =
        objective_ratio == other.objective_ratio && objective_rtt_ns == other.objective_rtt_ns;
    if (is_same_objective) {
        objective_count += other.objective_count;
        objective_good += other.objective_good;
    }
}

void SeriesWindow::merge_values(const SeriesWindow& other) noexcept {
    if (other.value_count == 0) return;
    const bool is_first = value_count == 0;
    value_sum += other.value_sum;
    value_min = is_first ? other.value_min : std::min(value_min, other.value_min);
    value_max = is_first ? other.value_max : std::max(value_max, other.value_max);
    if (is_first || other.value_last_ns >= value_last_ns) {
        value_last = other.value_last;
        value_last_ns = other.value_last_ns;
    }
    value_count += other.value_count;
}

// -- At its end ---------------------------------------------------------------------------------

void SeriesWindow::finish_counts(latmon_window_t& window) const noexcept {
    window.samples = samples;
    std::ranges::copy(by_status, window.by_status);
    std::ranges::copy(by_blame, window.by_blame);
    std::ranges::copy(by_owd_class, window.by_owd_class);
    window.answered = sum_of(by_status, is_answered);
    window.lost = sum_of(by_status, is_lost);
    window.lost_local = sum_of(by_status, is_lost_local);
    window.loss_bursts = loss_runs;
    window.loss_burst_max = loss_run_max;
    window.tainted = tainted;
    window.left_out = left_out;
    window.lost_left_out = lost_left_out;
    const std::uint64_t judged = window.answered + window.lost;
    if (is_probing(kind) && judged > 0) {
        window.loss_ratio = static_cast<double>(window.lost) / static_cast<double>(judged);
        window.valid |= LATMON_WINDOW_HAS_LOSS_RATIO;
    }
    if (objective_ratio != 0) {
        window.objective_ratio = objective_ratio;
        window.objective_rtt_ns = objective_rtt_ns;
        window.objective_count = objective_count;
        window.objective_good = objective_good;
        window.valid |= LATMON_WINDOW_HAS_OBJECTIVE;
        if (is_kept(objective_ratio, objective_good, objective_count)) {
            window.valid |= LATMON_WINDOW_KEEPS_OBJECTIVE;
        }
    }
}

void SeriesWindow::finish_values(latmon_window_t& window) const noexcept {
    if (slowest.is_set != 0) {
        window.slowest_rtt_ns = slowest.rtt_ns;
        window.slowest_time_ns = slowest.time_ns;
        window.slowest_sequence = slowest.sequence;
        window.valid |= LATMON_WINDOW_HAS_SLOWEST;
    }
    if (last.is_set != 0) {
        window.last_rtt_ns = last.rtt_ns;
        window.last_sequence = last.sequence;
        window.valid |= LATMON_WINDOW_HAS_LAST;
    }
    if (lateness_count > 0) {
        window.lateness_count = lateness_count;
        window.lateness_sum_ns = narrow(lateness_sum_ns);
        window.lateness_max_ns = lateness_max_ns;
        window.valid |= LATMON_WINDOW_HAS_LATENESS;
    }
    if (tcp_ack_count > 0) {
        window.tcp_ack_count = tcp_ack_count;
        window.tcp_ack_sum_ns = narrow(Wide{tcp_ack_sum_ns});
        window.tcp_ack_min_ns = tcp_ack_min_ns;
        window.tcp_ack_max_ns = tcp_ack_max_ns;
        window.valid |= LATMON_WINDOW_HAS_TCP_ACK;
    }
    if (value_count == 0) return;
    window.value_sum = narrow(value_sum);
    window.value_min = value_min;
    window.value_max = value_max;
    window.value_last = value_last;
    window.value_last_ns = value_last_ns;
    window.valid |= LATMON_WINDOW_HAS_VALUE;
}

void SeriesWindow::finish(latmon_window_t& window, std::vector<latmon_bucket_t>& buckets) const {
    window = {};
    buckets.clear();
    window.struct_size = sizeof(window);
    window.begin_ns = begin_ns;
    window.length_ns = length_ns;
    finish_counts(window);
    finish_values(window);
    fill(window.rtt, rtt, buckets);
    fill(window.owd_fwd, owd_fwd, buckets);
    fill(window.owd_rev, owd_rev, buckets);
    fill(window.rtt_ipdv, rtt_ipdv);
    fill(window.owd_fwd_ipdv, owd_fwd_ipdv);
    fill(window.owd_rev_ipdv, owd_rev_ipdv);
    window.buckets = buckets.data();
    window.bucket_count = static_cast<std::uint32_t>(buckets.size());
    const std::uint64_t above = is_probing(kind) ? window.lost - window.lost_left_out : 0;
    for (std::size_t index = 0; index < percentiles.size(); ++index) {
        if (window_quantile(window, window.rtt, percentiles[index], above,
                            &window.rtt_percentile_ns[index])) {
            window.percentile_valid |= 1U << index;
        }
    }
}

OwnedWindow SeriesWindow::finish() const {
    OwnedWindow owned;
    finish(owned.window, owned.buckets);
    return owned;
}

}  // namespace latmon
