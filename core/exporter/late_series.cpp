// SPDX-License-Identifier: Apache-2.0
//
// See late_series.hpp.
#include "exporter/late_series.hpp"

#include "base/limits.hpp"

namespace latmon {
namespace {

Series series_of(const PluginCounters& counters, std::uint32_t index,
                 const std::string& node_name) {
    Series series;
    series.kind = LATMON_KIND_NODE;
    series.name = "exporter_" + counters.name(index);
    series.source = node_name;
    series.target = counters.exporter();
    return series;
}

Series series_of(const PeerLabels& peer, const std::string& node_name) {
    Series series;
    series.kind = LATMON_KIND_REFLECTION;
    series.protocol = peer.protocol;
    series.source = peer.name;
    series.target = node_name;
    series.tags.assign(peer.tags.begin(), peer.tags.end());
    series.flags = LATMON_SERIES_PEER;
    return series;
}

}  // namespace

LateSeries::LateSeries(std::uint32_t first_id, std::string node_name, const Blocks& blocks)
    : first_id_(first_id), end_id_(first_id), node_name_(std::move(node_name)) {
    for (const std::string& exporter : blocks.exporters) {
        counters_.push_back(std::make_unique<PluginCounters>(end_id_, exporter));
        end_id_ += PluginCounters::capacity;
    }
    for (std::size_t core = 0; core < blocks.cores; ++core) {
        peers_.push_back(std::make_unique<PeerSeries>(end_id_, limits::peer_series_per_core));
        end_id_ += limits::peer_series_per_core;
    }
}

PluginCounters* LateSeries::counters_of(std::string_view exporter) noexcept {
    for (const std::unique_ptr<PluginCounters>& counters : counters_) {
        if (counters->exporter() == exporter) return counters.get();
    }
    return nullptr;
}

std::vector<const PluginCounters*> LateSeries::all_counters() const {
    std::vector<const PluginCounters*> all;
    for (const std::unique_ptr<PluginCounters>& counters : counters_)
        all.push_back(counters.get());
    return all;
}

std::optional<Series> LateSeries::find(std::uint32_t series_id) const {
    if (series_id < first_id_ || series_id >= end_id_) return std::nullopt;
    const std::size_t at = series_id - first_id_;
    const std::size_t exporter = at / PluginCounters::capacity;
    if (exporter < counters_.size()) {
        const std::uint32_t index = static_cast<std::uint32_t>(at % PluginCounters::capacity);
        if (index >= counters_[exporter]->count()) return std::nullopt;
        return series_of(*counters_[exporter], index, node_name_);
    }
    const std::size_t peer = at - counters_.size() * PluginCounters::capacity;
    const std::optional<PeerLabels> labels =
        peers_[peer / limits::peer_series_per_core]->find(series_id);
    if (!labels) return std::nullopt;
    return series_of(*labels, node_name_);
}

}  // namespace latmon
