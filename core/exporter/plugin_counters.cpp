// SPDX-License-Identifier: Apache-2.0
//
// See plugin_counters.hpp.
#include "exporter/plugin_counters.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace latmon {
namespace {

constexpr std::size_t name_bytes_max = 64;  // As counters.h says.

Series series_of(std::string_view name, const std::string& exporter, const std::string& node_name) {
    Series series;
    series.kind = LATMON_KIND_NODE;
    series.name = "exporter_" + std::string(name);
    series.source = node_name;
    series.target = exporter;
    return series;
}

// Of daemon/node_counters.cpp, without "exporter_".
constexpr std::array<std::string_view, 8> taken_names{
    "made_samples_total",     "exported_samples_total", "rejected_samples_total",
    "dropped_samples_total",  "made_windows_total",     "exported_windows_total",
    "rejected_windows_total", "dropped_windows_total"};

}  // namespace

bool is_counter_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= name_bytes_max &&
           std::ranges::find(taken_names, name) == taken_names.end() &&
           std::ranges::all_of(name, [](char octet) {
               return (octet >= 'a' && octet <= 'z') || (octet >= '0' && octet <= '9') ||
                      octet == '_';
           });
}

PluginCounters::PluginCounters(SeriesRegistry& registry, std::string exporter)
    : registry_(registry), exporter_(std::move(exporter)) {}

PluginCounters::~PluginCounters() {
    static_cast<void>(end_series());
}

std::vector<std::uint32_t> PluginCounters::begin_series() {
    std::vector<std::uint32_t> ids;
    if (has_begun_ || has_ended_) return ids;
    has_begun_ = true;
    for (std::uint32_t index = 0; index < count(); ++index) {
        registry_.begin(counters_[index].series);
        ids.push_back(series_id(index));
    }
    return ids;
}

std::vector<std::uint32_t> PluginCounters::end_series() {
    std::vector<std::uint32_t> ids;
    if (has_ended_) return ids;
    has_ended_ = true;
    for (std::uint32_t index = 0; index < count(); ++index) {
        registry_.end(counters_[index].series);
        if (has_begun_) ids.push_back(series_id(index));
    }
    return ids;
}

latmon_counter* PluginCounters::find_or_add(std::string_view name) {
    if (!is_counter_name(name)) return nullptr;
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::uint32_t count = count_.load(std::memory_order_relaxed);
    for (std::uint32_t index = 0; index < count; ++index) {
        if (counters_[index].name == name) return &counters_[index];
    }
    if (is_closed_ || count == LATMON_COUNTERS_MAX) return nullptr;
    counters_[count].name = name;
    counters_[count].series = registry_.add(series_of(name, exporter_, registry_.node_name()));
    count_.store(count + 1, std::memory_order_release);  // Publishes the name.
    return &counters_[count];
}

latmon_counter& PluginCounters::add_own(std::string_view name) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::uint32_t count = count_.load(std::memory_order_relaxed);
    LATMON_ASSERT(is_closed_ && count < capacity);
    counters_[count].name = name;
    counters_[count].series = registry_.add(series_of(name, exporter_, registry_.node_name()));
    count_.store(count + 1, std::memory_order_release);  // As above.
    return counters_[count];
}

void PluginCounters::close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_closed_ = true;
}

const std::string& PluginCounters::name(std::uint32_t index) const noexcept {
    LATMON_ASSERT(index < count());
    return counters_[index].name;
}

std::uint32_t PluginCounters::series_id(std::uint32_t index) const noexcept {
    LATMON_ASSERT(index < count());
    return counters_[index].series.first_id;
}

std::uint64_t PluginCounters::value(std::uint32_t index) const noexcept {
    LATMON_ASSERT(index < count());
    return counters_[index].value.load(std::memory_order_relaxed);
}

}  // namespace latmon
