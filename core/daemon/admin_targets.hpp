// SPDX-License-Identifier: Apache-2.0
//
// What the admin listener may see of targets and series while the daemon runs. The main-thread says
// which probes there are, and says so anew before it frees one; handler threads read meanwhile.
// Figures are the counters that core-threads publish and the windows of the aggregator: nothing is
// measured or kept here.
#pragma once

#include "admin/backend.hpp"
#include "base/address.hpp"
#include "config/plan.hpp"
#include "probe/probe_counters.hpp"
#include "sample/series.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace latmon {

// One probe of the plan.
struct TargetView {
    TargetStatus fixed;  // All of it that no counter and no window says.
    std::uint32_t target_index = 0;
    const ProbeCounters* counters = nullptr;  // Stays until the next set().
};

// Where windows and series come from. Each function may be called by several threads at once, and
// may be empty: then there are none.
struct WindowAccess {
    // Ids run from 0 to one less; many have no series.
    std::function<std::uint32_t()> series_count;
    std::function<const latmon_series_t*(std::uint32_t series_id)> find_series;
    // The last window of a length (LATMON_WINDOW_...), or the last 60 s (0).
    std::function<std::optional<latmon_window_t>(std::uint32_t series_id, std::uint32_t length_bit)>
        find_window;
    // Since when windows are kept: all that began since then. The first question makes them be
    // kept; nothing: they are not yet.
    std::function<std::optional<WallTime>()> since;
};

// What the plan and the series say of one probe.
[[nodiscard]] TargetStatus target_status(const latmon_series_t& series, const ProbePlan& probe);

class AdminTargets {
public:
    // [main-thread, before anybody reads]
    void set_windows(WindowAccess windows) { windows_ = std::move(windows); }

    // From now on these are all. Returns when nobody reads the ones before any more. [main-thread]
    void set(std::vector<TargetView> views);
    // A name was looked up: the target's views are the only ones that are touched. [main-thread]
    void set_address(std::uint32_t target_index, const Endpoint& address);

    // In the order of set(); `now` is CLOCK_REALTIME. May wait for windows_since. [any-thread]
    [[nodiscard]] TargetList read(WallTime now) const;
    // By series id. Likewise. [any-thread]
    [[nodiscard]] SeriesList read_series(const SeriesQuestion& question) const;

private:
    [[nodiscard]] std::optional<WallTime> since() const;
    void add_window(TargetStatus& status, WallTime now) const;

    WindowAccess windows_;
    mutable std::mutex mutex_;
    // Guarded by `mutex_`: the views, and which of them are a target's, by target_index.
    std::vector<TargetView> views_;
    std::unordered_multimap<std::uint32_t, std::size_t> of_target_;
};

}  // namespace latmon
