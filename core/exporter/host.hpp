// SPDX-License-Identifier: Apache-2.0
//
// latmon as one plugin instance sees it: fills latmon_host_t for one exporter. Copies nothing per
// call but log lines; what a plugin may keep pointers to lives here, at a fixed address, as long as
// the exporter. Functions may be called from the main-thread and the exporter-thread, and log()
// from any thread that a plugin has started.
#pragma once

#include "exporter/late_series.hpp"
#include "exporter/options.hpp"
#include "sample/series.hpp"

#include <latmon/host.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

// The opaque struct of the ABI. [main-thread & in create()]
struct latmon_options {
    latmon::Options* options;
};

namespace latmon {

// What series ids stand for: those of the plan, which do not change, and those that come later,
// whose ids begin where the table ends; null: there are none. Both outlive the host.
struct SeriesSource {
    SeriesSource(const SeriesTable& series_table, LateSeries* late_series = nullptr)
        : table(series_table), late(late_series) {}

    const SeriesTable& table;
    LateSeries* late;
};

class Host {
public:
    // `prefix` stands before every line that the plugin logs. `counters` are the exporter's own;
    // null: this latmon has none for it. [main-thread]
    Host(std::string prefix, const SeriesSource& series, PluginCounters* counters = nullptr);
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    // Valid as long as the host. [any-thread]
    [[nodiscard]] const latmon_host_t* table() const noexcept { return &table_.functions; }

    // The last line of level warning or above that the plugin logged; "" if there is none.
    // [any-thread]
    [[nodiscard]] std::string last_complaint() const;

    // What stands behind latmon_host_t.log. [any-thread]
    void log(latmon_log_level_t level, std::string_view text);

    // What stands behind latmon_host_t.series. A late series is made when it is first asked for; an
    // array access from then on, as for the others. [any-thread]
    [[nodiscard]] const latmon_series_t* series(std::uint32_t series_id) const noexcept;
    [[nodiscard]] std::uint32_t series_count() const noexcept;

    // What stands behind latmon_host_t.extension. [any-thread]
    [[nodiscard]] const void* extension(std::string_view id) const noexcept;

private:
    // The ABI hands our functions a latmon_host_t and no context: it is the first member of this,
    // so that the way back is one cast.
    struct Table {
        latmon_host_t functions;
        Host* host;
    };
    friend struct HostFunctions;

    // A series that came late, and what latmon_series_t points to.
    struct Late {
        Series series;
        std::vector<const char*> tags;
        latmon_series_t shown{};
    };

    [[nodiscard]] const latmon_series_t* late_series(std::uint32_t series_id) const noexcept;

    Table table_;
    std::string prefix_;
    LateSeries* late_source_;
    PluginCounters* counters_;
    std::vector<std::vector<const char*>> tags_;  // Per series; series_ points into it.
    std::vector<latmon_series_t> series_;         // Index = series id. Never resized after set-up.
    // Index = series id less series_.size(); null: nobody has asked for it, or there is none yet.
    mutable std::vector<std::atomic<const latmon_series_t*>> late_;
    mutable std::mutex late_mutex_;  // Guards the making of one.
    mutable std::deque<Late> late_made_;

    mutable std::mutex complaint_mutex_;  // A plugin's own thread may log while create() does.
    std::string complaint_;
};

}  // namespace latmon
