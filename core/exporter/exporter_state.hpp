// SPDX-License-Identifier: Apache-2.0
//
// What one exporter consists of, for exporter.cpp (its life, on the main-thread) and
// exporter_thread.cpp (its thread) alone. The comment in exporter.cpp says how its accounts stay
// balanced between the two.
#pragma once

#include "exporter/exporter.hpp"
#include "exporter/host.hpp"
#include "exporter/library.hpp"
#include "exporter/series_news.hpp"

#include <latmon/reopen.h>
#include <latmon/series.h>
#include <latmon/window.h>

#include <fmt/format.h>
#include <atomic>
#include <future>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

namespace latmon {

// Nobody has asked to stop. CLOCK_MONOTONIC never gets there.
inline constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

struct Exporter::State {
    State(ExporterConfig exporter_config, const SeriesSource& series)
        : config(std::move(exporter_config)),
          registry(series.registry),
          counters(*registry, config.name),
          // The ancestor's log lines are read by programs, and it has but one backend: no mark.
          host(config.is_compatible ? "" : fmt::format("exporter {}: ", config.name), series,
               &counters) {}

    [[nodiscard]] Result<void> create(const std::string& config_file);
    void ask_for_abilities() noexcept;
    // False: a page of the plugin's is still being made; all of this must then stay.
    [[nodiscard]] bool destroy() noexcept;
    void make_queues(std::uint32_t core_count, std::size_t series);

    void run();
    bool export_turn(std::span<Sample> batch);
    bool export_windows();
    std::uint32_t take(std::size_t core, std::span<Sample> batch);
    void settle(SampleQueue& queue, std::uint32_t count, latmon_result_t result);
    bool abandon_rest(std::span<Sample> batch);
    void flush();
    void flush_if_due();
    void reopen_if_asked();
    void tell_series_news();
    [[nodiscard]] bool has_series_news();
    void post(bool is_added, std::span<const std::uint32_t> ids);
    template <typename Call>
    latmon_result_t call_plugin(Call&& call) noexcept;

    [[nodiscard]] bool is_overdue() const noexcept {
        return clock.now().ns >= drain_until_ns.load(std::memory_order_acquire);
    }

    const ExporterConfig config;  // Options hand out strings of it: first in, last out.
    LoadedPlugin plugin;
    const std::shared_ptr<SeriesRegistry> registry;
    PluginCounters counters;  // The plugin's own.
    Host host;
    void* instance = nullptr;                          // What the plugin's create() returned.
    bool is_left_behind = false;                       // It will never be destroyed.
    std::vector<std::unique_ptr<SampleQueue>> queues;  // Index = core.
    const latmon_windows_t* windowing = nullptr;       // The plugin's ability, or null.
    std::unique_ptr<WindowFeed> window_feed;           // Null: it takes no windows.
    OsClock clock;

    // Of the exporter-thread alone.
    Instant last_flush;
    bool has_unflushed = false;
    bool has_thrown = false;  // Logged already.
    std::uint32_t turn_samples = 0;
    bool is_backlogged = false;  // A queue had at least a whole batch: it may hold more.

    // The plugin's ability, or null; and a signal that it has not seen yet.
    const latmon_reopen_t* reopening = nullptr;
    std::atomic<bool> must_reopen = false;

    const latmon_series_events_t* series_events = nullptr;  // Likewise an ability, or null.

    // Set once, by the main-thread, after the last push: what the thread sees after it is complete.
    std::atomic<std::int64_t> drain_until_ns{never_ns};

    mutable std::mutex settling;
    std::uint32_t in_hand = 0;          // Popped, outcome not known. Guarded by `settling`.
    std::vector<std::uint64_t> popped;  // By queue, so far. Guarded by `settling`,
    SeriesNews news;                    // as this: what is popped depends on it.
    bool is_given_up = false;           // The rest counts as abandoned. Guarded by `settling`.

    std::thread thread;
    std::promise<void> ended;
    std::future<void> has_ended = ended.get_future();
};

}  // namespace latmon
