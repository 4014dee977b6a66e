// SPDX-License-Identifier: Apache-2.0
//
// The series that are not known when the plan is made: counters that plugins have of their own, and
// peers that say who they are. They have ids behind those of the plan's table, in blocks that are
// given away at the start, so that whoever makes one later needs nobody's leave:
//
//   table of the plan | counters of exporter 0, 1, ... | peers of core 0, 1, ...
//
// An id in a block may have no series yet. Outlives cores and exporters. Made by the main-thread;
// find() is for every thread.
#pragma once

#include "exporter/plugin_counters.hpp"
#include "sample/peer_series.hpp"
#include "sample/series.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

class LateSeries {
public:
    // Their number is that of the blocks of each kind. [main-thread]
    struct Blocks {
        std::span<const std::string> exporters;  // By name.
        std::size_t cores = 0;
    };

    // `first_id` is the size of the plan's table; `node_name` stands in every series. [main-thread]
    LateSeries(std::uint32_t first_id, std::string node_name, const Blocks& blocks);

    // The counters of the exporter of this name; null if there is no such exporter. [main-thread]
    [[nodiscard]] PluginCounters* counters_of(std::string_view exporter) noexcept;
    // One per exporter, in their order. [any-thread]
    [[nodiscard]] std::vector<const PluginCounters*> all_counters() const;

    // The peers of this core. [main-thread]
    [[nodiscard]] PeerSeries& peers(std::size_t core) noexcept { return *peers_[core]; }

    // Ids run from first_id() to end_id() - 1. [any-thread]
    [[nodiscard]] std::uint32_t first_id() const noexcept { return first_id_; }
    [[nodiscard]] std::uint32_t end_id() const noexcept { return end_id_; }

    // The series with this id, if there is one by now; it then never changes. [any-thread]
    [[nodiscard]] std::optional<Series> find(std::uint32_t series_id) const;

private:
    const std::uint32_t first_id_;
    std::uint32_t end_id_;
    const std::string node_name_;
    std::vector<std::unique_ptr<PluginCounters>> counters_;
    std::vector<std::unique_ptr<PeerSeries>> peers_;
};

}  // namespace latmon
