// SPDX-License-Identifier: Apache-2.0
//
// The thread around the aggregator: takes samples of every core from queues of its own, as an
// exporter does, and hands windows to the exporters that take them. It may block and allocate; what
// it cannot keep up with is counted as dropped, and no probe waits for it.
//
// A window is closed a moment after its end, when all cores have pushed what they made before it.
// Defining and ending series, and asking for what is known, is allowed from other threads at any
// time: one lock is around the aggregator, which a turn holds for some milliseconds at most. Until
// it has queues there is next to nothing of it: no thread, no memory, no series.
#pragma once

#include "base/time.hpp"
#include "daemon/series_events.hpp"
#include "sample/sample_queue.hpp"
#include "stats/aggregator.hpp"
#include "stats/window_queue.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

namespace latmon {

// What the aggregator had to leave out or to put elsewhere, in the order of StatsThread::figures().
inline constexpr std::array<std::string_view, 3> stats_series_names{
    "stats_refused_samples_total", "stats_after_end_samples_total",
    "stats_out_of_place_samples_total"};

class StatsThread final : public SeriesEvents, private WindowSink {
public:
    using Figures = std::array<std::atomic<std::uint64_t>, stats_series_names.size()>;

    // `clock` outlives it. [main-thread]
    StatsThread(const Clock& clock, const AggregatorOptions& options);
    ~StatsThread() override;
    StatsThread(const StatsThread&) = delete;
    StatsThread& operator=(const StatsThread&) = delete;

    // Once, and before start(). `queue_samples` is per core, a power of two. [main-thread]
    void make_queues(std::uint32_t core_count, std::uint32_t queue_samples);
    [[nodiscard]] bool has_queues() const noexcept { return !queues_.empty(); }
    // The queue that core `core_index` pushes into; null: there are none. [main-thread]
    [[nodiscard]] SampleQueue* queue(std::uint32_t core_index) noexcept;

    // Readable by every thread, and all 0 until it runs.
    [[nodiscard]] const Figures& figures() const noexcept { return figures_; }

    // Windows go to `heir` from now on, which outlives that, and to `former` no more; both at once,
    // so that each window goes to one of the two. Null: there is none. [main-thread]
    void replace_output(WindowQueue* former, WindowQueue* heir);

    // Series of kinds that have windows begin from zero. Those that end are over once everything
    // that their cores had pushed by then was taken; their open windows are handed out then.
    // Without queues nothing begins, and what ends has ended. [main-thread]
    void begin(std::span<const SeriesBegin> series) override;
    void end(std::span<const std::uint32_t> ids) override;
    [[nodiscard]] bool has_ended() override;

    // Runs `action` on the aggregator, alone. [any-thread]
    void with(const std::function<void(Aggregator&)>& action);

    // Starts the thread; it keeps off the CPUs in `core_cpus` if there are others. [main-thread]
    void start(std::span<const std::uint32_t> core_cpus);

    // Tells it that no core-thread pushes any more: it takes what is queued, hands out the windows
    // that are open, and ends. Returns then. [main-thread]
    void drain_and_stop();

private:
    void run();
    [[nodiscard]] std::uint32_t take_turn(std::span<Sample> batch);
    void show_figures() noexcept;
    void on_window(const latmon_window_t& window) override;

    const Clock& clock_;
    Figures figures_{};
    std::vector<std::unique_ptr<SampleQueue>> queues_;  // Index = core.
    std::mutex mutex_;                                  // Guards what follows.
    Aggregator aggregator_;
    std::vector<WindowQueue*> outputs_;
    // Of the main-thread: series that end when so many samples of each core have been taken.
    struct Ending {
        std::vector<std::uint32_t> ids;
        std::vector<std::uint64_t> after;
    };
    std::vector<Ending> endings_;
    std::atomic<bool> is_draining_{false};
    std::uint32_t turns_backlogged_ = 0;  // Of the thread alone.
    std::thread thread_;
};

}  // namespace latmon
