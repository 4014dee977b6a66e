// SPDX-License-Identifier: Apache-2.0
//
// What stands behind include/latmon/counters.h: the counters of one exporter's own, each with a
// series. Their memory is fixed from the start, so that a counter stays where it is and a
// core-thread may read it at any time. A plugin adds from any of its threads; nobody waits for
// anybody.
#pragma once

#include "sample/series_registry.hpp"

#include <latmon/counters.h>
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

// The opaque struct of the ABI.
struct latmon_counter {
    std::atomic<std::uint64_t> value{0};
    std::string name;              // Set once, before it is published.
    latmon::SeriesGroup series{};  // Likewise.
};

namespace latmon {

class PluginCounters {
public:
    // `exporter` is the exporter's name. `registry`, which outlives this, gives the series their
    // ids. [main-thread]
    PluginCounters(SeriesRegistry& registry, std::string exporter);
    ~PluginCounters();
    PluginCounters(const PluginCounters&) = delete;
    PluginCounters& operator=(const PluginCounters&) = delete;

    // Places for counters: the plugin's, and those of latmon's own that stand among them.
    static constexpr std::uint32_t own_count_max = 4;
    static constexpr std::uint32_t capacity = LATMON_COUNTERS_MAX + own_count_max;

    // As latmon_counters_t.counter; null as well after close(). [main-thread]
    [[nodiscard]] latmon_counter* find_or_add(std::string_view name);

    // A counter of latmon's own, of a name that no plugin may take; own_count_max of them at most,
    // after close(). [main-thread, before start]
    [[nodiscard]] latmon_counter& add_own(std::string_view name);

    // create() is over: there will be no other counters. [main-thread]
    void close();

    // Their series are there for everybody from now on, and are over from now on: the ids of those
    // of which that is news. [main-thread]
    [[nodiscard]] std::vector<std::uint32_t> begin_series();
    [[nodiscard]] std::vector<std::uint32_t> end_series();

    // How many there are; never shrinks. [any-thread]
    [[nodiscard]] std::uint32_t count() const noexcept {
        return count_.load(std::memory_order_acquire);
    }
    // Of `index` < count(). [any-thread]
    [[nodiscard]] const std::string& name(std::uint32_t index) const noexcept;
    [[nodiscard]] std::uint64_t value(std::uint32_t index) const noexcept;

    [[nodiscard]] std::uint32_t series_id(std::uint32_t index) const noexcept;
    [[nodiscard]] const std::string& exporter() const noexcept { return exporter_; }

private:
    SeriesRegistry& registry_;
    const std::string exporter_;
    std::mutex mutex_;  // Against a plugin that asks from a thread of its own.
    bool is_closed_ = false;
    bool has_begun_ = false;               // Its series are there for everybody,
    bool has_ended_ = false;               // or have gone back to the registry.
    std::atomic<std::uint32_t> count_{0};  // Names before it are never written again.
    std::array<latmon_counter, capacity> counters_;
};

// True for 1 to 64 of a-z, 0-9 and '_' that are not the name of a counter that latmon has of every
// exporter, which would then be there twice. [any-thread]
[[nodiscard]] bool is_counter_name(std::string_view name) noexcept;

}  // namespace latmon
