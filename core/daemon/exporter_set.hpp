// SPDX-License-Identifier: Apache-2.0
//
// All exporters, and how they come and go while cores push samples. One that is configured as
// before is not touched: it keeps its thread, queue, counters and connection. One that changed is
// made anew beside the old one, takes its place in every core between two samples, and the old one
// ends when it has exported what it has. [main-thread]
#pragma once

#include "base/error.hpp"
#include "config/config.hpp"
#include "daemon/core_thread.hpp"
#include "daemon/stats_thread.hpp"
#include "exporter/exporter.hpp"
#include "sample/series_registry.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace latmon {

// What was made before anything is changed.
struct ExporterChange {
    // One for each that is wanted: null where the one of before goes on, or where it has to be
    // made in its place.
    std::vector<std::unique_ptr<Exporter>> made;
    std::vector<ExporterConfig> wanted;
    std::vector<std::size_t> in_place;  // Of `wanted`: refused while the one of before is there.
};

class ExporterSet {
public:
    using CoreThreads = std::vector<std::unique_ptr<CoreThread>>;

    // Where plugins are looked for, and what messages call the configuration.
    struct Setting {
        std::string config_file;
        std::vector<std::string> plugin_path;
        std::vector<std::uint32_t> core_cpus;
    };

    // Both outlive it.
    ExporterSet(SeriesRegistry& registry, CoreThreads& cores);
    ~ExporterSet();
    ExporterSet(const ExporterSet&) = delete;
    ExporterSet& operator=(const ExporterSet&) = delete;

    // Where exporters may have pages; null: nowhere. Outlives this. Before open().
    void set_routes(PluginRoutes* routes) noexcept { routes_ = routes; }

    // All of `configs`, for so many cores; before there are cores.
    [[nodiscard]] Result<void> open(std::span<const ExporterConfig> configs, const Setting& setting,
                                    std::uint32_t core_count);
    // Who makes the windows that exporters take. Outlives this. After open(), before start().
    void attach(StatsThread& stats);
    // The lengths that are asked for: a mask of window_..._bit.
    [[nodiscard]] std::uint32_t window_lengths() const noexcept;

    // What core `core_index` is to be made with.
    [[nodiscard]] std::vector<SampleConsumer> consumers(std::uint32_t core_index) const;
    void start();

    // Makes those that are new, by the plugins as they are in their directories now. Errors as
    // Exporter::open(). What is not committed is destroyed with the outcome.
    [[nodiscard]] Result<ExporterChange> prepare(std::span<const ExporterConfig> wanted,
                                                 const Setting& setting);
    // Those that could not be made beside the ones of before, which hold a port that they need:
    // these end first. If it is of no use, they are made again as they were, and the error says so.
    // The last step that may fail.
    [[nodiscard]] Result<void> make_in_place(ExporterChange& change, const Setting& setting);
    void commit(ExporterChange change);

    // Takes those that go further. True as long as there are any: call again in some milliseconds.
    bool advance();

    void tell_added(std::span<const std::uint32_t> ids);
    void tell_removed(std::span<const std::uint32_t> ids);
    void ask_to_reopen() noexcept;

    // No core pushes any more: exports what there is, ends all, and logs their accounts. False if a
    // plugin does not return; nothing may then be destroyed. See Exporter::drain_and_stop().
    [[nodiscard]] bool drain(Duration grace, Duration wait_min);
    // Of those that have ended; then ends their plugins, one after the other, and logs the accounts
    // of one again if it has counted something by that.
    void log_accounts();
    // Destroys those that have ended, and leaves the others behind.
    void abandon_stuck() noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

private:
    struct Entry {
        std::unique_ptr<Exporter> exporter;
        SeriesGroup series;  // Of its queues: those of its predecessor of the same name.
    };
    // On its way out.
    struct Leaving {
        std::unique_ptr<Exporter> exporter;
        SeriesGroup series;
        bool has_heir = false;                // Who has the series now.
        std::vector<std::uint64_t> commands;  // By core: those after which nobody pushes.
        bool is_draining = false;
        Instant give_up{};
    };

    [[nodiscard]] Result<std::unique_ptr<Exporter>> make(const ExporterConfig& config,
                                                         const Setting& setting) const;
    [[nodiscard]] Entry* find(std::string_view name) noexcept;
    void connect(Exporter* former, Exporter* heir);
    void set_leaving(std::span<const ExporterConfig> wanted, bool is_leaving);
    [[nodiscard]] Result<void> make_all(ExporterChange& change, const Setting& setting);
    void send(std::uint32_t core, const CoreCommand& command);
    void replace(Exporter* former, const Entry* heir, bool with_counters);
    void bring_in(Entry& entry, std::unique_ptr<Exporter> former);
    [[nodiscard]] Result<void> swap_in_place(const ExporterConfig& wanted, const Setting& setting);
    void take_out(Entry entry);
    [[nodiscard]] bool step(Leaving& leaving);
    void end_series_of(Leaving& leaving);
    [[nodiscard]] std::vector<std::uint64_t> sent() const;
    [[nodiscard]] bool has_applied(const std::vector<std::uint64_t>& commands) const;

    SeriesRegistry& registry_;
    CoreThreads& cores_;
    std::uint32_t core_count_ = 0;
    OsClock clock_;
    PluginRoutes* routes_ = nullptr;
    StatsThread* stats_ = nullptr;
    std::vector<std::uint32_t> core_cpus_;
    std::vector<Entry> entries_;
    std::vector<Leaving> leaving_;
    std::vector<std::unique_ptr<Exporter>> stuck_;
};

}  // namespace latmon
