// SPDX-License-Identifier: Apache-2.0
//
// latmon as one plugin instance sees it: fills latmon_host_t for one exporter. Copies nothing per
// call but log lines; what a plugin may keep pointers to lives here, at a fixed address, as long as
// the exporter. Functions may be called from the main-thread and the exporter-thread, and log()
// from any thread that a plugin has started.
#pragma once

#include "exporter/options.hpp"
#include "sample/series.hpp"

#include <latmon/host.h>

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

// The opaque struct of the ABI. [main-thread & in create()]
struct latmon_options {
    latmon::Options* options;
};

namespace latmon {

class Host {
public:
    // `prefix` stands before every line that the plugin logs. `series` must outlive the host and
    // must not change. [main-thread]
    Host(std::string prefix, const SeriesTable& series);
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    // Valid as long as the host. [any-thread]
    [[nodiscard]] const latmon_host_t* table() const noexcept { return &table_.functions; }

    // The last line of level warning or above that the plugin logged; "" if there is none.
    // [any-thread]
    [[nodiscard]] std::string last_complaint() const;

    // What stands behind latmon_host_t.log. [any-thread]
    void log(latmon_log_level_t level, std::string_view text);

    // What stands behind latmon_host_t.series. [any-thread]
    [[nodiscard]] const latmon_series_t* series(std::uint32_t series_id) const noexcept;
    [[nodiscard]] std::uint32_t series_count() const noexcept;

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
    std::vector<std::vector<const char*>> tags_;  // Per series; series_ points into it.
    std::vector<latmon_series_t> series_;         // Index = series id. Never resized after set-up.

    mutable std::mutex complaint_mutex_;  // A plugin's own thread may log while create() does.
    std::string complaint_;
};

}  // namespace latmon
