// SPDX-License-Identifier: Apache-2.0
//
// What is kept of the samples; snapshot_text.cpp writes it.
#include "pushgateway/snapshot.hpp"

#include "pushgateway/bounds.hpp"
#include "pushgateway/labels.hpp"
#include "support/count_of.hpp"
#include "support/decimal.hpp"
#include "support/json.hpp"

#include <algorithm>

namespace latmon::plugins::pushgateway {
namespace {

bool has(const latmon_sample_t& sample, std::uint32_t bit) noexcept {
    return (sample.valid & bit) != 0;
}

}  // namespace

void Distribution::record(std::int64_t value_ns) noexcept {
    ++count;
    if (value_ns > 0) sum_ns += static_cast<std::uint64_t>(value_ns);
    const auto bucket = std::ranges::lower_bound(bounds_ns, value_ns);
    if (bucket != bounds_ns.end()) {
        ++buckets[static_cast<std::size_t>(bucket - bounds_ns.begin())];
    }
}

void Snapshot::add(const latmon_sample_t& sample) {
    if (sample.kind == LATMON_KIND_NODE) {
        add_node(sample);
        return;
    }
    Path* const path = path_of(sample.series_id);
    if (path == nullptr || path->kind != sample.kind) return;
    if (sample.status < status_count) path->statuses[sample.status] += count_of(sample);
    // A clock that follows nobody spoils one-way delays, and these say so themselves.
    if ((sample.blame & ~LATMON_BLAME_CLOCK_UNSYNCED) != 0) ++path->disturbed;
    if (path->has_rtt && has(sample, LATMON_HAS_RTT)) path->times.record(sample.rtt_ns);
    if (sample.kind != LATMON_KIND_EXCHANGE) return;
    if (has(sample, LATMON_HAS_OWD_FWD)) add_delay(*path, 0, sample.owd_fwd_ns, sample.owd_class);
    if (has(sample, LATMON_HAS_OWD_REV)) add_delay(*path, 1, sample.owd_rev_ns, sample.owd_class);
}

// Relative ones are no delays, but changes of one; falsified ones are none at all.
void Snapshot::add_delay(Path& path, std::size_t direction, std::int64_t owd_ns,
                         std::uint8_t owd_class) {
    if (owd_class != LATMON_OWD_BOUNDED && owd_class != LATMON_OWD_ESTIMATED) return;
    path.delays[direction][owd_class == LATMON_OWD_BOUNDED ? 0 : 1].record(owd_ns);
    if (owd_ns < 0) ++path.negative[direction];
}

Snapshot::Path* Snapshot::path_of(std::uint32_t series_id) {
    if (series_id < by_id_.size() && by_id_[series_id] != nullptr) return by_id_[series_id];
    const latmon_series_t* const series = host_->series(host_, series_id);
    if (series == nullptr || series->kind == LATMON_KIND_NODE) return nullptr;
    std::string labels = labels_of(*series);
    Path& path = paths_[std::to_string(series->kind) + labels];
    path.labels = std::move(labels);
    path.kind = series->kind;
    path.has_rtt = (series->flags & LATMON_SERIES_NO_RTT) == 0;
    if (by_id_.size() <= series_id) by_id_.resize(series_id + 1);
    by_id_[series_id] = &path;
    return &path;
}

// Reflections are there from the first one on: who will ask is not known.
void Snapshot::declare_all() {
    const std::uint32_t count = host_->series_count(host_);
    for (; declared_ < count; ++declared_) {
        const latmon_series_t* const series = host_->series(host_, declared_);
        if (series == nullptr) continue;
        const bool is_probe =
            series->kind == LATMON_KIND_EXCHANGE || series->kind == LATMON_KIND_CONNECT;
        if (is_probe) static_cast<void>(path_of(declared_));
    }
}

std::string Snapshot::labels_of(const latmon_series_t& series) {
    Labels labels;
    labels.set("proto", proto_word(series));
    // A sender that gave no name has none: its address would be a series for each that there is.
    const bool is_nameless =
        series.kind == LATMON_KIND_REFLECTION && (series.flags & LATMON_SERIES_PEER) == 0;
    labels.set("source", is_nameless ? "" : series.source);
    labels.set("target", series.target);
    const bool is_changed = add_tags(labels, series, reserved_labels);
    std::string text = labels.text();
    if (is_changed && !has_warned_) {
        has_warned_ = true;
        const std::string line = "tags of target " + std::string(series.target) +
                                 " are no labels of Prometheus' as they are; they are sent as {" +
                                 text + "}";
        host_->log(host_, LATMON_LOG_WARNING, line.c_str());
    }
    return text;
}

void Snapshot::add_node(const latmon_sample_t& sample) {
    if (!has(sample, LATMON_HAS_VALUE)) return;
    NodeSeries& node = node_series_[sample.series_id];
    if (node.name.empty()) {
        const latmon_series_t* const series = host_->series(host_, sample.series_id);
        if (series == nullptr) return;
        const NodeMetric metric = node_metric(*series);
        node.name = metric.name;
        node.digits = metric.digits;
        Labels labels;
        if (series->protocol != LATMON_PROTOCOL_NONE) labels.set("proto", proto_word(*series));
        if (*series->target != '\0') labels.set(metric.target_label, series->target);
        node.labels = labels.text();
    }
    std::string labels = node.labels.empty() ? "" : node.labels + ",";
    labels += "core=\"" + std::to_string(sample.core) + "\"";
    std::string& value = nodes_[node.name][labels];
    value.clear();
    if (node.digits > 0) {
        append_decimal(value, sample.value, node.digits);
    } else {
        append_integer(value, sample.value);
    }
}

}  // namespace latmon::plugins::pushgateway
