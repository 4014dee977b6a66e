// SPDX-License-Identifier: Apache-2.0
//
// See path.hpp.
#include "prometheus/path.hpp"

#include "support/judged.hpp"

#include <algorithm>

namespace latmon::plugins::prometheus {
namespace {

bool has(const latmon_window_t& window, std::uint32_t bit) noexcept {
    return (window.valid & bit) != 0;
}

template <std::size_t Count>
void add_all(std::array<std::uint64_t, Count>& sums, const std::uint64_t (&added)[Count]) {
    for (std::size_t index = 0; index < Count; ++index) {
        sums[index] += added[index];
    }
}

void add_variation(Variation& variation, const latmon_variation_t& added) {
    if (added.count == 0) return;
    variation.count += added.count;
    variation.abs_sum.add(added.abs_sum_ns);
    variation.smoothed_ns = added.smoothed_ns;
}

}  // namespace

void Path::add(const latmon_window_t& window, const Shape& shape) {
    samples += window.samples;
    add_all(statuses, window.by_status);
    add_all(owd_classes, window.by_owd_class);
    answered += window.answered;
    tainted += window.tainted;
    left_out += window.left_out;
    loss_bursts += window.loss_bursts;
    if (has_rtt) times[0].add(window, window.rtt, shape);
    times[1].add(window, window.owd_fwd, shape);
    times[2].add(window, window.owd_rev, shape);
    add_variation(variations[0], window.rtt_ipdv);
    add_variation(variations[1], window.owd_fwd_ipdv);
    add_variation(variations[2], window.owd_rev_ipdv);
    if (has(window, LATMON_WINDOW_HAS_LATENESS)) {
        lateness.count += window.lateness_count;
        lateness.sum.add(window.lateness_sum_ns);
    }
    if (has(window, LATMON_WINDOW_HAS_TCP_ACK)) {
        tcp_ack.count += window.tcp_ack_count;
        tcp_ack.sum.add(window.tcp_ack_sum_ns);
    }
    if (has(window, LATMON_WINDOW_HAS_OBJECTIVE)) {
        if (!objective) objective.emplace();
        objective->ratio = window.objective_ratio;
        objective->rtt_ns = window.objective_rtt_ns;
        objective->count += window.objective_count;
        objective->good += window.objective_good;
    }
    if (has(window, LATMON_WINDOW_HAS_VALUE)) {
        value_sum += window.value_sum;
        value_last = window.value_last;
    }
    add_exemplar(window, shape.bounds);
    judge_up(window);
    added_end_ns = window.begin_ns + window.length_ns;
    added_length_ns = window.length_ns;
}

void Path::take_minute(const latmon_window_t& window) {
    minute = Minute{.loss_burst_max = window.loss_burst_max,
                    .judged = window.rtt.count + judged_lost(window),
                    .percentile_valid = window.percentile_valid};
    std::ranges::copy(window.rtt_percentile_ns, minute->percentile_ns.begin());
    // A minute in which nothing was judged neither kept nor broke it.
    if (objective) objective->was_kept.reset();
    if (!has(window, LATMON_WINDOW_HAS_OBJECTIVE) || window.objective_count == 0) return;
    if (!objective) objective.emplace();
    objective->ratio = window.objective_ratio;
    objective->rtt_ns = window.objective_rtt_ns;
    objective->was_kept = has(window, LATMON_WINDOW_KEEPS_OBJECTIVE);
}

// The slowest one is in the distribution, unless it was left out for what this host did.
void Path::add_exemplar(const latmon_window_t& window, const Bounds& bounds) {
    const bool is_counted = has(window, LATMON_WINDOW_HAS_SLOWEST) && window.rtt.count > 0 &&
                            window.rtt.max_ns == window.slowest_rtt_ns;
    if (!has_rtt || !is_counted) return;
    const Exemplar exemplar{
        .value_ns = window.slowest_rtt_ns,
        .time_ns = window.slowest_time_ns,
        .sequence = window.slowest_sequence,
        .place = static_cast<std::uint32_t>(bounds.place_of_value(window.slowest_rtt_ns))};
    const auto found = std::ranges::lower_bound(exemplars, exemplar.place, {}, &Exemplar::place);
    if (found != exemplars.end() && found->place == exemplar.place) {
        *found = exemplar;
    } else {
        exemplars.insert(found, exemplar);
    }
}

// Late replies and duplicates alone say nothing: their probes were judged before.
void Path::judge_up(const latmon_window_t& window) {
    if (window.answered > 0) {
        is_up = true;
    } else if (window.lost + window.lost_local > 0) {
        is_up = false;
    }
}

}  // namespace latmon::plugins::prometheus
