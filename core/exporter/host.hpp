// SPDX-License-Identifier: Apache-2.0
//
// latmon as one plugin instance sees it: fills latmon_host_t for one exporter. Copies nothing per
// call but log lines; what a plugin may keep pointers to lives here, at a fixed address, as long as
// the exporter. Functions may be called from the main-thread and the exporter-thread, and log()
// from any thread that a plugin has started.
#pragma once

#include "exporter/options.hpp"
#include "exporter/plugin_counters.hpp"
#include "exporter/plugin_routes.hpp"
#include "sample/series_registry.hpp"

#include <latmon/host.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

// The opaque struct of the ABI. [main-thread & in create()]
struct latmon_options {
    latmon::Options* options;
};

namespace latmon {

// What series ids stand for: a registry, which outlives whoever is given it; or a table, for who
// has series that never change. And where pages of exporters are kept; null: nowhere.
struct SeriesSource {
    SeriesSource(SeriesRegistry& shared, PluginRoutes* plugin_routes = nullptr)
        : registry(&shared, [](SeriesRegistry*) {}), routes(plugin_routes) {}
    SeriesSource(const SeriesTable& table);

    std::shared_ptr<SeriesRegistry> registry;
    PluginRoutes* routes = nullptr;
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

    // What stands behind latmon_host_t.series. What had ended before there was this host is not
    // there; what ends later stays. [any-thread]
    [[nodiscard]] const latmon_series_t* series(std::uint32_t series_id) const noexcept;
    [[nodiscard]] std::uint32_t series_count() const noexcept;

    // The exporter's pages: see PluginRoutes::Owner. [main-thread]
    [[nodiscard]] PluginRoutes::Owner& routes() noexcept { return routes_; }

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

    Table table_;
    std::string prefix_;
    const std::shared_ptr<SeriesRegistry> registry_;
    const std::uint32_t epoch_;  // Of the registry, when there came to be this host.
    PluginCounters* counters_;
    PluginRoutes::Owner routes_;

    mutable std::mutex complaint_mutex_;  // A plugin's own thread may log while create() does.
    std::string complaint_;
};

}  // namespace latmon
