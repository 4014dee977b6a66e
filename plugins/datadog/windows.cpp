// SPDX-License-Identifier: Apache-2.0
//
// See windows.hpp.
#include "datadog/windows.hpp"

#include "datadog/rows.hpp"
#include "support/count_of.hpp"
#include "support/decimal.hpp"
#include "support/json.hpp"
#include "support/words.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace latmon::plugins::datadog {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

// A row of a distribution holds no more than this, so that it can be cut between requests.
constexpr std::size_t values_per_row = 1'000;

constexpr std::string_view direction_words[] = {"fwd", "rev"};
constexpr std::string_view class_words[] = {"bounded", "estimated"};

// What a probe of this fate counts as beside its own: sent = received + lost + lost in this host.
enum class Sum { none, lost, lost_local };

struct StatusMetric {
    std::uint8_t status;
    std::string_view name;
    Sum sum;
};
// Given only for intervals that had some: each is a series of its own, which costs money.
constexpr StatusMetric status_metrics[] = {
    {LATMON_STATUS_LOST, "", Sum::lost},
    {LATMON_STATUS_LOST_FORWARD, "latmon.probes.lost_forward", Sum::lost},
    {LATMON_STATUS_LOST_REVERSE, "latmon.probes.lost_reverse", Sum::lost},
    {LATMON_STATUS_LOST_LOCAL_TX, "latmon.probes.lost_local_tx", Sum::lost_local},
    {LATMON_STATUS_LOST_LOCAL_RX, "latmon.probes.lost_local_rx", Sum::lost_local},
    {LATMON_STATUS_UNREACHABLE, "latmon.probes.unreachable", Sum::lost},
    {LATMON_STATUS_LATE, "latmon.probes.late", Sum::none},
    {LATMON_STATUS_DUPLICATE, "latmon.probes.duplicated", Sum::none},
    {LATMON_STATUS_REORDERED, "latmon.probes.reordered", Sum::none},
    {LATMON_STATUS_INVALID, "latmon.probes.invalid", Sum::none},
    {LATMON_STATUS_LOCAL_ERROR, "latmon.probes.unsent", Sum::none},
};

bool has(const latmon_sample_t& sample, std::uint32_t bit) noexcept {
    return (sample.valid & bit) != 0;
}

}  // namespace

Windows::Windows(const latmon_host_t* host, const WindowOptions& options, Take take_points,
                 Take take_values)
    : host_(host),
      options_(options),
      take_points_(std::move(take_points)),
      take_values_(std::move(take_values)) {}

Windows::Window& Windows::window_of(std::int64_t time_ns) {
    const std::int64_t index = time_ns / (options_.interval_s * second_ns);
    return windows_[std::max(index, open_from_)];
}

void Windows::record(Times& times, std::int64_t value_ns) const {
    times.min_ns = times.count == 0 ? value_ns : std::min(times.min_ns, value_ns);
    ++times.count;
    times.sum_ns += static_cast<double>(value_ns);
    if (options_.has_distributions) {
        times.values_ns.push_back(value_ns);
    } else {
        times.histogram.record(value_ns);
    }
}

void Windows::add(const latmon_sample_t& sample) {
    if (sample.kind == LATMON_KIND_NODE) {
        if (!options_.has_nodes || !has(sample, LATMON_HAS_VALUE)) return;
        window_of(sample.time_ns).nodes[{sample.series_id, sample.core}] = sample.value;
        return;
    }
    if (sample.kind != LATMON_KIND_EXCHANGE && sample.kind != LATMON_KIND_CONNECT) return;
    const latmon_series_t* const series = host_->series(host_, sample.series_id);
    if (series == nullptr) return;
    Path& path = window_of(sample.time_ns).paths[sample.series_id];
    path.series = series;
    if (sample.status < status_count) path.statuses[sample.status] += count_of(sample);
    const bool wants_rtt = (series->flags & LATMON_SERIES_NO_RTT) == 0;
    if (wants_rtt && has(sample, LATMON_HAS_RTT)) record(path.times, sample.rtt_ns);
    // Relative delays are changes of one, and falsified ones are none.
    const bool is_bounded = sample.owd_class == LATMON_OWD_BOUNDED;
    if (!is_bounded && sample.owd_class != LATMON_OWD_ESTIMATED) return;
    const std::size_t place = is_bounded ? 0 : 1;
    if (has(sample, LATMON_HAS_OWD_FWD)) record(path.delays[0][place], sample.owd_fwd_ns);
    if (has(sample, LATMON_HAS_OWD_REV)) record(path.delays[1][place], sample.owd_rev_ns);
}

void Windows::close(std::int64_t now_ns) {
    const std::int64_t now_index = now_ns / (options_.interval_s * second_ns);
    // An interval that ended within the last second is still open: its samples are on their way.
    const std::int64_t first_open = (now_ns - second_ns) / (options_.interval_s * second_ns);
    const std::int64_t last = windows_.empty() ? INT64_MIN : windows_.rbegin()->first;
    if (std::max(open_from_, last) > now_index + 1) {
        close_all();
        open_from_ = first_open;
        return;
    }
    open_from_ = std::max(open_from_, first_open);
    while (!windows_.empty() && windows_.begin()->first < first_open) {
        give(windows_.begin()->first, windows_.begin()->second);
        windows_.erase(windows_.begin());
    }
}

void Windows::close_all() {
    for (const auto& [index, window] : windows_) {
        give(index, window);
    }
    windows_.clear();
}

// -- Rows -----------------------------------------------------------------------------------------

void Windows::give(std::int64_t index, const Window& window) {
    const std::int64_t time_s = index * options_.interval_s;
    for (const auto& [id, path] : window.paths) {
        give_path(time_s, path);
    }
    give_nodes(time_s, window);
}

std::string Windows::tags_of(const latmon_series_t& series,
                             std::vector<std::string> further) const {
    const bool is_connect = series.kind == LATMON_KIND_CONNECT;
    std::vector<std::string> own;
    if (series.kind != LATMON_KIND_NODE || series.protocol != LATMON_PROTOCOL_NONE) {
        own.push_back(std::string("proto:").append(is_connect ? "tcp_connect"
                                                              : protocol_word(series.protocol)));
    }
    own.push_back(std::string("source:") + series.source);
    if (*series.target != '\0') own.push_back(std::string("target:") + series.target);
    std::ranges::move(further, std::back_inserter(own));
    return tags_json(own, series);
}

void Windows::give_path(std::int64_t time_s, const Path& path) {
    const std::string tags = tags_of(*path.series, {});
    const Where where{.tags = tags, .time_s = time_s};
    give_counts(where, path);
    const bool is_connect = path.series->kind == LATMON_KIND_CONNECT;
    give_times(where, is_connect ? "latmon.tcp_connect" : "latmon.rtt", path.times);
    for (std::size_t place = 0; place < 4; ++place) {
        const Times& times = path.delays[place / 2][place % 2];
        if (times.count == 0) continue;
        const std::string delay_tags =
            tags_of(*path.series, {std::string("direction:").append(direction_words[place / 2]),
                                   std::string("class:").append(class_words[place % 2])});
        give_times({.tags = delay_tags, .time_s = time_s}, "latmon.owd", times);
    }
}

void Windows::give_counts(const Where& where, const Path& path) {
    const std::uint64_t received =
        path.statuses[LATMON_STATUS_OK] + path.statuses[LATMON_STATUS_REORDERED];
    std::uint64_t lost = 0;
    std::uint64_t lost_local = 0;
    for (const StatusMetric& metric : status_metrics) {
        const std::uint64_t count = path.statuses[metric.status];
        if (metric.sum == Sum::lost) lost += count;
        if (metric.sum == Sum::lost_local) lost_local += count;
        if (count > 0 && !metric.name.empty()) give_count(where, metric.name, count);
    }
    give_count(where, "latmon.probes.sent", received + lost + lost_local);
    give_count(where, "latmon.probes.received", received);
    give_count(where, "latmon.probes.lost", lost);
}

void Windows::give_times(const Where& where, const std::string& name, const Times& times) {
    if (times.count == 0) return;
    if (options_.has_distributions) {
        give_values(where, name, times);
        return;
    }
    give_gauge(where, name + ".min", times.min_ns);
    give_gauge(where, name + ".avg", std::llround(times.sum_ns / static_cast<double>(times.count)));
    constexpr std::pair<std::string_view, double> shares[] = {
        {".p50", 0.50}, {".p95", 0.95}, {".p99", 0.99}};
    for (const auto& [end, share] : shares) {
        // The middle of a bucket may lie beyond the extremes, which are exact.
        const std::int64_t value_ns = times.histogram.percentile_ns(share);
        give_gauge(where, std::string(name).append(end), std::max(value_ns, times.min_ns));
    }
    give_gauge(where, name + ".max", times.histogram.max_ns());
}

void Windows::give_values(const Where& where, const std::string& name, const Times& times) {
    std::string list;
    for (std::size_t index = 0; index < times.values_ns.size(); ++index) {
        list += list.empty() ? '[' : ',';
        append_decimal(list, times.values_ns[index], 9);
        const bool is_last = index + 1 == times.values_ns.size();
        if (!is_last && (index + 1) % values_per_row != 0) continue;
        list += ']';
        make_row(row_, {.metric = name,
                        .type = Type::distribution,
                        .interval_s = 0,
                        .unit = "second",
                        .tags = where.tags,
                        .time_s = where.time_s,
                        .value = list});
        take_values_(row_);
        list.clear();
    }
}

void Windows::give_nodes(std::int64_t time_s, const Window& window) {
    for (const auto& [key, value] : window.nodes) {
        const latmon_series_t* const series = host_->series(host_, key.first);
        if (series == nullptr) continue;
        const std::string tags = tags_of(*series, {"core:" + std::to_string(key.second)});
        const std::string name = metric_name(std::string("latmon.node.") + series->name);
        make_row(row_, {.metric = name,
                        .type = Type::gauge,
                        .interval_s = 0,
                        .unit = "",
                        .tags = tags,
                        .time_s = time_s,
                        .value = std::to_string(value)});
        take_points_(row_);
    }
}

void Windows::give_gauge(const Where& where, const std::string& name, std::int64_t value_ns) {
    std::string value;
    append_decimal(value, value_ns, 9);
    make_row(row_, {.metric = name,
                    .type = Type::gauge,
                    .interval_s = 0,
                    .unit = "second",
                    .tags = where.tags,
                    .time_s = where.time_s,
                    .value = value});
    take_points_(row_);
}

void Windows::give_count(const Where& where, std::string_view name, std::uint64_t count) {
    make_row(row_, {.metric = name,
                    .type = Type::count,
                    .interval_s = options_.interval_s,
                    .unit = "",
                    .tags = where.tags,
                    .time_s = where.time_s,
                    .value = std::to_string(count)});
    take_points_(row_);
}

}  // namespace latmon::plugins::datadog
