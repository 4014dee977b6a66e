// SPDX-License-Identifier: Apache-2.0
//
// See paths.hpp. Which metric stands at which place of a path's timers is one table, at the top.
#include "statsd/paths.hpp"

#include <bit>

namespace latmon::plugins::statsd {
namespace {

constexpr Dimension delay_dimensions[4][2] = {
    {{"direction", "fwd"}, {"class", "bounded"}},
    {{"direction", "fwd"}, {"class", "estimated"}},
    {{"direction", "rev"}, {"class", "bounded"}},
    {{"direction", "rev"}, {"class", "estimated"}},
};

Metric metric_at(const latmon_series_t& series, std::size_t place) {
    if (place > 0) return {.name = "owd", .dimensions = delay_dimensions[place - 1]};
    if (series.kind == LATMON_KIND_TIMING) return {.name = series.name};
    return {.name = series.kind == LATMON_KIND_CONNECT ? "tcp_connect" : "rtt"};
}

bool has(const latmon_sample_t& sample, std::uint32_t bit) noexcept {
    return (sample.valid & bit) != 0;
}

}  // namespace

Paths::Path* Paths::path_of(const latmon_sample_t& sample) {
    Path& path = paths_[sample.series_id];
    if (path.series == nullptr) {
        path.series = parts_.host->series(parts_.host, sample.series_id);
        path.is_unnamed = path.series != nullptr && !parts_.claims->claim(*path.series);
    }
    if (path.is_unnamed) ++unnamed_;
    const bool is_sound = path.series != nullptr && path.series->kind == sample.kind;
    return is_sound && !path.is_unnamed ? &path : nullptr;
}

void Paths::add(const latmon_sample_t& sample) {
    if (sample.kind == LATMON_KIND_NODE) {
        if (!has_nodes_ || !has(sample, LATMON_HAS_VALUE)) return;
        nodes_[{sample.series_id, sample.core}] = {.value = sample.value, .is_new = true};
        return;
    }
    if (sample.kind < LATMON_KIND_EXCHANGE || sample.kind > LATMON_KIND_TIMING) return;
    Path* const path = path_of(sample);
    if (path == nullptr) return;
    path->is_touched = true;
    switch (sample.kind) {
        case LATMON_KIND_COUNTER:
            if (has(sample, LATMON_HAS_VALUE)) path->grown += sample.value;
            break;
        case LATMON_KIND_GAUGE:
            if (has(sample, LATMON_HAS_VALUE)) path->quantity = std::bit_cast<double>(sample.value);
            break;
        case LATMON_KIND_TIMING:
            if (has(sample, LATMON_HAS_VALUE)) time(*path, 0, sample.value);
            break;
        default:
            path->tally.add(sample);
            add_times(*path, sample);
    }
}

void Paths::add_times(Path& path, const latmon_sample_t& sample) {
    const bool wants_rtt = (path.series->flags & LATMON_SERIES_NO_RTT) == 0;
    if (wants_rtt && has(sample, LATMON_HAS_RTT)) time(path, 0, sample.rtt_ns);
    // Those who give no name have one series together: a delay of all of them would be nobody's.
    const bool is_nameless =
        sample.kind == LATMON_KIND_REFLECTION && (path.series->flags & LATMON_SERIES_PEER) == 0;
    if (is_nameless) return;
    if (has(sample, LATMON_HAS_OWD_FWD)) add_delay(path, 0, sample);
    if (has(sample, LATMON_HAS_OWD_REV)) add_delay(path, 1, sample);
}

// Relative delays are changes of one, and falsified ones are none.
void Paths::add_delay(Path& path, std::size_t direction, const latmon_sample_t& sample) {
    const bool is_bounded = sample.owd_class == LATMON_OWD_BOUNDED;
    if (!is_bounded && sample.owd_class != LATMON_OWD_ESTIMATED) return;
    const std::int64_t owd_ns = direction == 0 ? sample.owd_fwd_ns : sample.owd_rev_ns;
    time(path, 1 + 2 * direction + (is_bounded ? 0 : 1), owd_ns);
}

void Paths::time(Path& path, std::size_t place, std::int64_t value_ns) {
    Timer& timer = path.timers[place];
    if (timer.identity.head.empty()) {
        timer.identity = parts_.naming->identity(*path.series, metric_at(*path.series, place));
    }
    parts_.writer->time(timer, value_ns);
}

// -- Counts and gauges ----------------------------------------------------------------------------

void Paths::write_counts(std::int64_t now_s) {
    for (auto& [id, path] : paths_) {
        if (path.is_touched) write_path(path, now_s);
    }
    write_nodes(now_s);
}

void Paths::write_count(const Path& path, const Count& count, std::int64_t now_s) {
    parts_.writer->count(parts_.naming->identity(*path.series, {.name = count.name}), count.value,
                         now_s);
}

void Paths::write_path(Path& path, std::int64_t now_s) {
    const latmon_series_t& series = *path.series;
    path.is_touched = false;
    if (series.kind == LATMON_KIND_EXCHANGE || series.kind == LATMON_KIND_CONNECT) {
        for (const Count& count : probe_counts(path.tally.by_status, path.tally.tainted)) {
            write_count(path, count, now_s);
        }
    } else if (series.kind == LATMON_KIND_REFLECTION) {
        write_count(path, {"reflections", path.tally.by_status[LATMON_STATUS_OK]}, now_s);
    } else if (series.kind == LATMON_KIND_COUNTER && path.grown > 0) {
        write_count(path, {series.name, static_cast<std::uint64_t>(path.grown)}, now_s);
    } else if (path.quantity) {
        parts_.writer->gauge(parts_.naming->identity(series, {.name = series.name}), *path.quantity,
                             now_s);
    }
    path.tally = {};
    path.grown = 0;
    path.quantity.reset();
}

void Paths::write_nodes(std::int64_t now_s) {
    for (auto& [key, reading] : nodes_) {
        if (!reading.is_new) continue;
        reading.is_new = false;
        const latmon_series_t* const series = parts_.host->series(parts_.host, key.first);
        if (series == nullptr) continue;
        const std::string core = std::to_string(key.second);
        const Dimension dimensions[] = {{"core", core}};
        const std::string name = std::string("node.") + series->name;
        parts_.writer->gauge_integer(
            parts_.naming->identity(*series, {.name = name, .dimensions = dimensions}),
            reading.value, now_s);
    }
}

void Paths::remove(std::uint32_t series_id, std::int64_t now_s) {
    const auto found = paths_.find(series_id);
    if (found != paths_.end()) {
        parts_.writer->write_values();
        if (found->second.is_touched) write_path(found->second, now_s);
        paths_.erase(found);
    }
    parts_.claims->release(series_id);
    std::erase_if(nodes_, [&](const auto& entry) { return entry.first.first == series_id; });
}

}  // namespace latmon::plugins::statsd
