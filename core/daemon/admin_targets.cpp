// SPDX-License-Identifier: Apache-2.0
//
// See admin_targets.hpp.
#include "daemon/admin_targets.hpp"

#include <algorithm>
#include <utility>

namespace latmon {
namespace {

// A window tells the state of a target as long as the next one could not have come.
constexpr std::int64_t intervals_of_state = 3;
constexpr Duration state_slack = Duration::from_s(15);

TargetStatus status_of(const TargetView& view) {
    TargetStatus status = view.fixed;
    const ProbeCounters& counters = *view.counters;
    // What is settled first: a probe that leaves meanwhile is then in flight, and not lost twice.
    status.answered = counters.answered.read();
    status.lost = counters.lost.read();
    status.unreachable = counters.unreachable.read();
    status.local_error = counters.local_error.read();
    status.missed = counters.missed.read();
    status.late = counters.late.read();
    status.duplicate = counters.duplicate.read();
    status.reordered = counters.reordered.read();
    status.sent = counters.sent.read();
    return status;
}

std::vector<std::string> tags_of(const latmon_series_t& series) {
    return {series.tags, series.tags + series.tags_count};
}

SeriesView view_of(std::uint32_t series_id, const latmon_series_t& series,
                   const latmon_window_t& window) {
    SeriesView view{.series_id = series_id,
                    .kind = series.kind,
                    .protocol = series.protocol,
                    .port = series.port,
                    .name = series.name,
                    .source = series.source,
                    .target = series.target,
                    .host = series.host,
                    .tags = tags_of(series),
                    .window = window};
    view.window.buckets = nullptr;
    view.window.bucket_count = 0;
    return view;
}

}  // namespace

TargetStatus target_status(const latmon_series_t& series, const ProbePlan& probe) {
    TargetStatus status;
    status.series_id = series.series_id;
    status.kind = static_cast<latmon_kind_t>(series.kind);
    status.protocol = static_cast<latmon_protocol_t>(series.protocol);
    status.target = series.target;
    status.host = series.host;
    if (probe.address) status.address = to_string(probe.address->address);
    status.port = series.port;
    status.tags = tags_of(series);
    status.interval = Duration{series.interval_ns};
    status.timeout = Duration{series.timeout_ns};
    return status;
}

void AdminTargets::set(std::vector<TargetView> views) {
    std::unordered_multimap<std::uint32_t, std::size_t> of_target;
    of_target.reserve(views.size());
    for (std::size_t index = 0; index < views.size(); ++index)
        of_target.emplace(views[index].target_index, index);
    const std::lock_guard<std::mutex> lock(mutex_);
    views_.swap(views);
    of_target_.swap(of_target);
}

void AdminTargets::set_address(std::uint32_t target_index, const Endpoint& address) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto [first, last] = of_target_.equal_range(target_index);
    for (auto each = first; each != last; ++each)
        views_[each->second].fixed.address = to_string(address.address);
}

void AdminTargets::add_window(TargetStatus& status, WallTime now) const {
    if (!windows_.find_window) return;
    const std::optional<latmon_window_t> window =
        windows_.find_window(status.series_id, LATMON_WINDOW_5S);
    if (!window) return;
    const WallTime end{window->begin_ns + window->length_ns};
    const Duration patience = status.interval * intervals_of_state + status.timeout + state_slack;
    if (now - end > patience) return;
    if (window->answered > 0) {
        status.state = TargetState::up;
    } else if (window->lost > 0) {
        status.state = TargetState::down;
    }
    if ((window->valid & LATMON_WINDOW_HAS_LAST) != 0) {
        status.last_rtt = Duration{window->last_rtt_ns};
    }
}

std::optional<WallTime> AdminTargets::since() const {
    return windows_.since ? windows_.since() : std::nullopt;
}

TargetList AdminTargets::read(WallTime now) const {
    TargetList list{.targets = {}, .windows_since = since()};
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        list.targets.reserve(views_.size());
        for (const TargetView& view : views_)
            list.targets.push_back(status_of(view));
    }
    for (TargetStatus& status : list.targets)
        add_window(status, now);
    return list;
}

SeriesList AdminTargets::read_series(const SeriesQuestion& question) const {
    SeriesList views;
    if (!windows_.series_count || !windows_.find_series || !windows_.find_window) return views;
    views.windows_since = since();
    const std::uint32_t count = windows_.series_count();
    for (std::uint32_t id = 0; id < count; ++id) {
        const std::optional<latmon_window_t> window = windows_.find_window(id, question.length_bit);
        if (!window) continue;
        const latmon_series_t* const series = windows_.find_series(id);
        if (series == nullptr) continue;
        if (!question.target.empty() && question.target != series->target) continue;
        if (views.series.size() == question.limit) {
            views.is_cut = true;
            break;
        }
        views.series.push_back(view_of(id, *series, *window));
    }
    return views;
}

}  // namespace latmon
