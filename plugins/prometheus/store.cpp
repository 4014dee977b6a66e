// SPDX-License-Identifier: Apache-2.0
//
// See store.hpp.
#include "prometheus/store.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

namespace latmon::plugins::prometheus {
namespace {

constexpr std::int64_t minute_ns = 60'000'000'000;

// To change it while a scrape reads it: a copy is. Under the lock.
template <typename Shared>
Shared& writable(std::shared_ptr<Shared>& shared) {
    if (shared.use_count() > 1) shared = std::make_shared<Shared>(*shared);
    return *shared;
}

// Whom we answer is told from the first window on, and applications may be many.
bool is_declared(const latmon_series_t& series) noexcept {
    return series.kind == LATMON_KIND_EXCHANGE || series.kind == LATMON_KIND_CONNECT;
}

// From the start on, so that the first probes it judges are an increase. A latmon that is older
// than this plugin tells it with the first window.
std::optional<Objective> objective_of(const latmon_series_t& series) noexcept {
    constexpr std::size_t end =
        offsetof(latmon_series_t, objective_rtt_ns) + sizeof(series.objective_rtt_ns);
    if (series.struct_size < end || series.objective_ratio == 0) return std::nullopt;
    Objective objective;
    objective.ratio = series.objective_ratio;
    objective.rtt_ns = series.objective_rtt_ns;
    return objective;
}

// Whether both are about one way of probing a target, as a path's series and those of its clock.
bool is_same_path(const latmon_series_t& one, const latmon_series_t& other) noexcept {
    const auto is_same = [](const char* a, const char* b) { return std::string_view(a) == b; };
    return one.protocol == other.protocol && one.port == other.port &&
           is_same(one.target, other.target) && is_same(one.host, other.host) &&
           std::equal(one.tags, one.tags + one.tags_count, other.tags,
                      other.tags + other.tags_count, is_same);
}

}  // namespace

Store::Store(const latmon_host_t* host, const Shape& shape)
    : host_(host), shape_(shape), mended_(host, "labels_mended_total") {}

void Store::declare_all(std::int64_t now_ns) {
    labelling_.learn(host_);
    const std::uint32_t count = host_->series_count(host_);
    for (std::uint32_t id = 0; id < count; ++id) {
        const latmon_series_t* const series = host_->series(host_, id);
        if (series != nullptr && is_declared(*series)) put(id, make(*series, now_ns));
    }
}

std::shared_ptr<Path> Store::make(const latmon_series_t& series, std::int64_t created_ns) {
    auto path = std::make_shared<Path>();
    path->series_id = series.series_id;
    path->kind = series.kind;
    path->has_rtt = (series.flags & LATMON_SERIES_NO_RTT) == 0;
    path->name = series.name;
    path->created_ns = created_ns;
    path->objective = objective_of(series);
    bool was_mended = false;
    path->labels = labelling_.take(series, was_mended);
    if (!was_mended) return path;
    mended_.add(1);
    const std::string clash = Labelling::clash_of(series);
    if (!clash.empty()) host_->log(host_, LATMON_LOG_WARNING, clash.c_str());
    return path;
}

void Store::put(std::uint32_t id, std::shared_ptr<Path> path) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (paths_.size() <= id) paths_.resize(id + 1);
    paths_[id] = std::move(path);
}

// All lengths of a batch are looked at before any of it is added up.
void Store::find_shortest(std::span<const latmon_window_t* const> windows) noexcept {
    for (const latmon_window_t* const window : windows) {
        if (length_ns_ == 0 || window->length_ns < length_ns_) length_ns_ = window->length_ns;
    }
}

void Store::declare_unknown(std::span<const latmon_window_t* const> windows, std::int64_t now_ns) {
    for (const latmon_window_t* const window : windows) {
        const std::uint32_t id = window->series_id;
        // Nobody but this thread changes paths_: it may look without the lock.
        if (id < paths_.size() && paths_[id] != nullptr) continue;
        const latmon_series_t* const series = host_->series(host_, id);
        if (series == nullptr || series->kind == LATMON_KIND_NODE) continue;
        put(id, make(*series, std::min(now_ns, window->begin_ns)));
    }
}

void Store::take(std::span<const latmon_window_t* const> windows, std::int64_t now_ns) {
    find_shortest(windows);
    declare_unknown(windows, now_ns);
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const latmon_window_t* const window : windows) {
        if (window->series_id >= paths_.size()) continue;
        std::shared_ptr<Path>& shared = paths_[window->series_id];
        if (shared == nullptr) continue;
        const bool is_added = window->length_ns == length_ns_;
        const bool is_minute = window->length_ns == minute_ns;
        if (!is_added && !is_minute) continue;
        Path& path = writable(shared);
        if (is_minute) path.take_minute(*window);
        // At the very start a longer window may have come before the first shorter one.
        const bool is_known = path.added_length_ns > window->length_ns &&
                              window->begin_ns + window->length_ns <= path.added_end_ns;
        if (is_added && !is_known) path.add(*window, shape_);
    }
}

void Store::take(std::span<const latmon_sample_t> samples) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const latmon_sample_t& sample : samples) {
        const bool has_value = (sample.valid & LATMON_HAS_VALUE) != 0;
        if (sample.kind == LATMON_KIND_NODE && has_value) take_node(sample);
    }
}

// latmon gives what it counts of a path the ids behind the path's own.
const SeriesLabels* Store::labels_of_path(const latmon_series_t& node) const {
    if (node.protocol == LATMON_PROTOCOL_NONE) return nullptr;
    std::size_t end = std::min<std::size_t>(node.series_id, paths_.size());
    while (end > 0 && paths_[end - 1] == nullptr)
        --end;
    if (end == 0) return nullptr;
    const Path& path = *paths_[end - 1];
    const latmon_series_t* const series = host_->series(host_, path.series_id);
    return series != nullptr && is_same_path(*series, node) ? path.labels.get() : nullptr;
}

void Store::take_node(const latmon_sample_t& sample) {
    const latmon_series_t* const series = host_->series(host_, sample.series_id);
    if (series == nullptr) return;
    const NodeMetric metric = node_metric(*series);
    std::shared_ptr<NodeFamily>& shared = nodes_[metric.name];
    if (shared == nullptr) shared = std::make_shared<NodeFamily>();
    NodeFamily& family = writable(shared);
    family.is_counter = metric.is_counter;
    family.digits = metric.digits;
    NodeFamily::Reading& reading = family.readings[{sample.series_id, sample.core}];
    if (reading.labels == nullptr) {
        reading.labels = labelling_.of_node(*series, sample.core, labels_of_path(*series));
    }
    reading.value = sample.value;
}

void Store::add(std::span<const std::uint32_t> ids, std::int64_t now_ns) {
    for (const std::uint32_t id : ids) {
        const latmon_series_t* const series = host_->series(host_, id);
        if (series == nullptr || !is_declared(*series)) continue;
        if (id < paths_.size() && paths_[id] != nullptr) continue;
        put(id, make(*series, now_ns));
    }
}

void Store::remove(std::span<const std::uint32_t> ids) {
    for (const std::uint32_t id : ids) {
        if (id >= paths_.size() || paths_[id] == nullptr) continue;
        const Path& path = *paths_[id];
        labelling_.release(id, path.kind, path.name, *path.labels);
        put(id, nullptr);
    }
    forget_nodes(ids);
}

void Store::forget_nodes(std::span<const std::uint32_t> ids) {
    std::vector<std::uint32_t> gone(ids.begin(), ids.end());
    std::ranges::sort(gone);
    const auto is_gone = [&](const auto& entry) {
        return std::ranges::binary_search(gone, entry.first.first);
    };
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto& [name, family] : nodes_) {
        if (std::ranges::any_of(family->readings, is_gone)) {
            std::erase_if(writable(family).readings, is_gone);
        }
    }
    std::erase_if(nodes_, [](const auto& entry) { return entry.second->readings.empty(); });
}

Store::Snapshot::Snapshot(Store& store) : store_(store) {
    const std::lock_guard<std::mutex> lock(store_.mutex_);
    paths_.reserve(store_.paths_.size());
    for (const std::shared_ptr<Path>& path : store_.paths_) {
        if (path != nullptr) paths_.push_back(path);
    }
    nodes_.reserve(store_.nodes_.size());
    for (const auto& [name, family] : store_.nodes_) {
        nodes_.emplace_back(name, family);
    }
}

// What nobody else has any more is freed after the lock.
Store::Snapshot::~Snapshot() {
    const std::lock_guard<std::mutex> lock(store_.mutex_);
    for (std::shared_ptr<const Path>& path : paths_) {
        if (path.use_count() > 1) path.reset();
    }
    for (auto& [name, family] : nodes_) {
        if (family.use_count() > 1) family.reset();
    }
}

}  // namespace latmon::plugins::prometheus
