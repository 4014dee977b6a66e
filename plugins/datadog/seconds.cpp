// SPDX-License-Identifier: Apache-2.0
//
// See seconds.hpp.
#include "datadog/seconds.hpp"

#include "datadog/rows.hpp"
#include "support/decimal.hpp"
#include "support/legacy.hpp"

#include <array>

namespace latmon::plugins::datadog {
namespace {

// Of senders without a name, before those are forgotten that have nothing to say.
constexpr std::size_t entries_max = 4'096;

}  // namespace

void Seconds::add(const latmon_sample_t& sample, const latmon_series_t& series) {
    const std::optional<LegacyPoint> point = legacy_point(sample, series);
    if (!point) return;
    Latest& latest = latest_of(sample, series, point->metric);
    const std::int64_t time_s = point->time_ns / 1'000'000'000;
    if (latest.is_waiting && latest.time_s != time_s) give(latest);
    latest.time_s = time_s;
    latest.value_ns = point->value_ns;
    latest.is_waiting = true;
}

Seconds::Latest& Seconds::latest_of(const latmon_sample_t& sample, const latmon_series_t& series,
                                    std::string_view metric) {
    // A sender that gave no name is told by its address, which is the sample's, not the series'.
    const bool is_cacheable =
        sample.kind != LATMON_KIND_REFLECTION || (series.flags & LATMON_SERIES_PEER) != 0;
    if (is_cacheable) {
        if (by_id_.size() <= sample.series_id) by_id_.resize(sample.series_id + 1);
        if (by_id_[sample.series_id] != nullptr) return *by_id_[sample.series_id];
    }
    const LegacyEnds ends(sample, series);
    const std::array<std::string, 2> own{std::string("source:").append(ends.source()),
                                         std::string("target:").append(ends.target())};
    const std::string tags = tags_json(own, series);
    Latest& latest = latest_[std::string(metric) + tags];
    latest.metric = metric;
    latest.tags = tags;
    if (is_cacheable) {
        by_id_[sample.series_id] = &latest;
        latest.is_cached = true;
    }
    return latest;
}

void Seconds::close_before(std::int64_t now_s) {
    for (auto& [key, latest] : latest_) {
        if (latest.is_waiting && latest.time_s < now_s) give(latest);
    }
    // Addresses of others come and go; what has a name stays.
    if (latest_.size() <= entries_max + by_id_.size()) return;
    std::erase_if(latest_, [](const auto& entry) -> bool {
        return !entry.second.is_waiting && !entry.second.is_cached;
    });
}

void Seconds::give(Latest& latest) {
    latest.is_waiting = false;
    std::string value;
    append_decimal(value, latest.value_ns, 6);  // Nanoseconds as milliseconds.
    make_row(row_, {.metric = latest.metric,
                    .type = Type::gauge,
                    .interval_s = 0,
                    .unit = "",
                    .tags = latest.tags,
                    .time_s = latest.time_s,
                    .value = value});
    take_(row_);
}

}  // namespace latmon::plugins::datadog
