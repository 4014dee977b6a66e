// SPDX-License-Identifier: Apache-2.0
//
// See window_lines.hpp. A figure that a window does not have is not sent; what a server then shows
// is its own choice, see the manual.
#include "statsd/window_lines.hpp"

#include "statsd/counts.hpp"

#include <utility>

namespace latmon::plugins::statsd {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

constexpr std::pair<std::string_view, double> ranks[] = {
    {"p50", 0.50}, {"p90", 0.90}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}, {"p9999", 0.9999}};
static_assert(std::size(ranks) == LATMON_PERCENTILES);

// The class of all one-way delays in it, or that there are two.
std::string_view delay_class(const latmon_window_t& window) noexcept {
    const bool has_bounded = window.by_owd_class[LATMON_OWD_BOUNDED] > 0;
    const bool has_estimated = window.by_owd_class[LATMON_OWD_ESTIMATED] > 0;
    if (has_bounded && has_estimated) return "mixed";
    return has_bounded ? "bounded" : "estimated";
}

bool is_probe(const latmon_series_t& series) noexcept {
    return series.kind == LATMON_KIND_EXCHANGE || series.kind == LATMON_KIND_CONNECT;
}

bool has(const latmon_window_t& window, std::uint32_t bit) noexcept {
    return (window.valid & bit) != 0;
}

}  // namespace

WindowLines::WindowLines(const Parts& parts)
    : parts_(parts),
      tools_(static_cast<const latmon_window_tools_t*>(
          parts.host->extension(parts.host, LATMON_WINDOWS_1))),
      unnamed_(parts.host, "windows_unnamed_total") {}

const latmon_series_t* WindowLines::series_of(std::uint32_t series_id) {
    const auto known = series_.find(series_id);
    if (known != series_.end()) return known->second;
    const latmon_series_t* series = parts_.host->series(parts_.host, series_id);
    if (series == nullptr) return nullptr;
    if (!parts_.claims->claim(*series)) series = nullptr;
    return series_[series_id] = series;
}

void WindowLines::remove(std::uint32_t series_id) {
    series_.erase(series_id);
    parts_.claims->release(series_id);
}

void WindowLines::add(const latmon_window_t& window) {
    const latmon_series_t* const series = series_of(window.series_id);
    if (series == nullptr) {
        unnamed_.add(1);
        return;
    }
    const Item item{.window = window, .series = *series, .time_s = window.begin_ns / second_ns};
    if (is_probe(*series)) {
        write_probes(item);
    } else if (series->kind == LATMON_KIND_REFLECTION) {
        write_count(item, "reflections", window.samples);
        // Those who give no name have one series together.
        if ((series->flags & LATMON_SERIES_PEER) != 0) write_delays(item);
    } else if (series->kind == LATMON_KIND_TIMING) {
        write_count(item, std::string(series->name) + ".count", window.rtt.count);
        write_extremes(item, window.rtt, {series->name, {}});
        write_rank(item, window.rtt, {series->name, {}});
    } else if (series->kind == LATMON_KIND_COUNTER && window.value_sum > 0) {
        write_count(item, series->name, static_cast<std::uint64_t>(window.value_sum));
    } else if (series->kind == LATMON_KIND_GAUGE && has(window, LATMON_WINDOW_HAS_VALUE)) {
        write_ratio(item, series->name, window.value_last);
    }
}

// -- Probes ---------------------------------------------------------------------------------------

void WindowLines::write_probes(const Item& item) {
    const latmon_window_t& window = item.window;
    for (const Count& count : probe_counts(window.by_status, window.tainted)) {
        write_count(item, count.name, count.value);
    }
    if (has(window, LATMON_WINDOW_HAS_LOSS_RATIO)) {
        write_ratio(item, "loss_ratio", window.loss_ratio);
        write_ratio(item, "loss_burst_max", static_cast<double>(window.loss_burst_max));
    }
    if ((item.series.flags & LATMON_SERIES_NO_RTT) == 0) write_round_trips(item);
    if (has(window, LATMON_WINDOW_HAS_LATENESS)) {
        write_time(item, {.name = "lateness", .dimensions = {}, .statistic = "max"},
                   window.lateness_max_ns);
    }
    write_objective(item);
    write_delays(item);
}

void WindowLines::write_round_trips(const Item& item) {
    const latmon_window_t& window = item.window;
    const std::string_view name = item.series.kind == LATMON_KIND_CONNECT ? "tcp_connect" : "rtt";
    write_extremes(item, window.rtt, {name, {}});
    // Not of the answered alone: the lost are longer than any.
    for (std::size_t index = 0; index < std::size(ranks); ++index) {
        if ((window.percentile_valid & (1U << index)) == 0) continue;
        write_time(item, {.name = name, .dimensions = {}, .statistic = ranks[index].first},
                   window.rtt_percentile_ns[index]);
    }
    if (has(window, LATMON_WINDOW_HAS_LAST)) {
        write_time(item, {.name = name, .dimensions = {}, .statistic = "last"}, window.last_rtt_ns);
    }
    write_changes(item, window.rtt_ipdv, {name, {}});
}

void WindowLines::write_objective(const Item& item) {
    const latmon_window_t& window = item.window;
    if (!has(window, LATMON_WINDOW_HAS_OBJECTIVE)) return;
    write_count(item, "objective.probes", window.objective_count);
    write_count(item, "objective.good", window.objective_good);
    if (window.objective_count == 0) return;
    write_ratio(item, "objective.kept", has(window, LATMON_WINDOW_KEEPS_OBJECTIVE) ? 1 : 0);
}

void WindowLines::write_delays(const Item& item) {
    const latmon_window_t& window = item.window;
    const std::string_view owd_class = delay_class(window);
    const Dimension forward[] = {{"direction", "fwd"}, {"class", owd_class}};
    const Dimension reverse[] = {{"direction", "rev"}, {"class", owd_class}};
    write_extremes(item, window.owd_fwd, {"owd", forward});
    write_rank(item, window.owd_fwd, {"owd", forward});
    write_extremes(item, window.owd_rev, {"owd", reverse});
    write_rank(item, window.owd_rev, {"owd", reverse});
    // By differences of each clock with itself, so that no class concerns them.
    write_changes(item, window.owd_fwd_ipdv, {"owd", std::span(forward).first(1)});
    write_changes(item, window.owd_rev_ipdv, {"owd", std::span(reverse).first(1)});
}

// -- Figures --------------------------------------------------------------------------------------

void WindowLines::write_extremes(const Item& item, const latmon_distribution_t& times,
                                 const Delay& delay) {
    if (times.count == 0) return;
    const std::pair<std::string_view, std::int64_t> figures[] = {
        {"min", times.min_ns},
        {"avg", times.sum_ns / static_cast<std::int64_t>(times.count)},
        {"max", times.max_ns}};
    for (const auto& [statistic, value_ns] : figures) {
        write_time(item, {delay.name, delay.dimensions, statistic}, value_ns);
    }
}

void WindowLines::write_rank(const Item& item, const latmon_distribution_t& times,
                             const Delay& delay) {
    if (tools_ == nullptr || times.count == 0) return;
    for (const auto& [statistic, ratio] : ranks) {
        std::int64_t value_ns = 0;
        if (!tools_->quantile(&item.window, &times, ratio, 0, &value_ns)) continue;
        write_time(item, {delay.name, delay.dimensions, statistic}, value_ns);
    }
}

void WindowLines::write_changes(const Item& item, const latmon_variation_t& changes,
                                const Delay& delay) {
    if (changes.count == 0) return;
    write_time(item, {delay.name, delay.dimensions, "jitter"}, changes.smoothed_ns);
    write_time(item, {delay.name, delay.dimensions, "ipdv"},
               changes.abs_sum_ns / static_cast<std::int64_t>(changes.count));
}

void WindowLines::write_count(const Item& item, std::string_view name, std::uint64_t value) {
    parts_.writer->count(parts_.naming->identity(item.series, {.name = name}), value, item.time_s);
}

void WindowLines::write_time(const Item& item, const Metric& metric, std::int64_t value_ns) {
    parts_.writer->gauge_time(parts_.naming->identity(item.series, metric), value_ns, item.time_s);
}

void WindowLines::write_ratio(const Item& item, std::string_view name, double value) {
    parts_.writer->gauge(parts_.naming->identity(item.series, {.name = name}), value, item.time_s);
}

}  // namespace latmon::plugins::statsd
