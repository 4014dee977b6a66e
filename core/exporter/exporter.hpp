// SPDX-License-Identifier: Apache-2.0
//
// One exporter: a plugin's instance, its thread, and the queues that feed it, one per core. The
// thread pops batches and hands them to the plugin; it may block there, and the cost is samples
// dropped at the other end of the queue. Knows nothing of probes.
#pragma once

#include "base/error.hpp"
#include "config/config.hpp"
#include "exporter/host.hpp"
#include "exporter/queue_accounts.hpp"
#include "exporter/window_feed.hpp"
#include "sample/sample_queue.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace latmon {

// Accounts at one moment.
struct ExporterAccounts {
    std::string name;
    QueueAccounts samples{};  // Summed over cores.
    QueueAccounts windows{};  // All 0 if it takes none.
    // The plugin's own counters, by name, as they are now.
    std::vector<std::pair<std::string, std::uint64_t>> counters{};
};

class Exporter {
public:
    // Loads the plugin, checks its ABI, and calls its create(). Errors are one line each and carry
    // ExitCode::configuration; a failed create() names the exporter. What `series` refers to must
    // outlive it. [main-thread]
    [[nodiscard]] static Result<std::unique_ptr<Exporter>> open(
        const ExporterConfig& config, const std::string& config_file,
        std::span<const std::string> plugin_path, const SeriesSource& series,
        std::uint32_t core_count);

    // What of open() can be found out without create(), which may have effects elsewhere: whether
    // the plugin is there, loads, and takes windows if it shall. Errors as open(). [main-thread]
    [[nodiscard]] static Result<void> check(const ExporterConfig& config,
                                            const std::string& config_file,
                                            std::span<const std::string> plugin_path);

    // Calls the plugin's destroy(). The thread must have stopped. [main-thread]
    ~Exporter();
    Exporter(const Exporter&) = delete;
    Exporter& operator=(const Exporter&) = delete;

    // The queue that core `core_index` pushes into. [main-thread, before start]
    [[nodiscard]] SampleQueue& queue(std::uint32_t core_index) noexcept;

    // The queue that the aggregator pushes into; null if the exporter takes no windows.
    // [main-thread, before start]
    [[nodiscard]] WindowQueue* windows() noexcept;

    // It is about to leave: others may have its pages. See PluginRoutes::Owner. [main-thread]
    void set_leaving(bool is_leaving);

    // Starts the thread; it keeps off the CPUs in `core_cpus` if there are others. [main-thread]
    void start(std::span<const std::uint32_t> core_cpus);

    // The plugin's own counters; they stay where they are as long as this. [main-thread]
    [[nodiscard]] PluginCounters& counters() noexcept;

    // Series that came to be after create(), and series that are over: of these, everything is in
    // the queues already. The plugin is told on its own thread, if it wants to know: of what came
    // before the first sample of it, of what is over after the last. [main-thread]
    void tell_added(std::span<const std::uint32_t> ids);
    void tell_removed(std::span<const std::uint32_t> ids);

    // Tells the thread that the operator has moved files: the plugin, if it writes any, is asked to
    // open them by their names anew, between two batches. Returns at once. [any-thread]
    void ask_to_reopen() noexcept;

    // Tells the thread that no core-thread pushes any more and that it has until `grace` from now
    // to export what is queued, flush and end. Returns at once; all exporters are told before the
    // first is waited for, so that one that hangs takes no time from the others. [main-thread]
    void begin_drain(Duration grace);

    // After begin_drain(): the thread has ended. Gives nothing up. [main-thread]
    [[nodiscard]] bool has_ended() const;

    // Tells the thread that no core-thread pushes any more. It then exports what is queued,
    // flushes, and ends; what is still queued after `grace` is counted as abandoned. Returns when
    // the thread has ended or, if the plugin will not return, when `grace` has passed: false then,
    // and the exporter must not be destroyed. To ask again is allowed, and changes no account.
    // [main-thread]
    [[nodiscard]] bool drain_and_stop(Duration grace);

    // After drain_and_stop() was true: calls the plugin's destroy(), in which it may write its last
    // word, so that accounts() have that too. Otherwise it is called when this is destroyed. Does
    // nothing while the thread runs, and nothing the second time. [main-thread]
    void end_plugin() noexcept;

    [[nodiscard]] const std::string& name() const noexcept;
    [[nodiscard]] const ExporterConfig& config() const noexcept;
    // Whether the plugin's file is another one than was loaded, under the same path. [main-thread]
    [[nodiscard]] bool has_new_file() const;
    [[nodiscard]] ExporterAccounts accounts() const;  // [any-thread]

private:
    struct State;
    explicit Exporter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace latmon
