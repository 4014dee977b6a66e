// SPDX-License-Identifier: Apache-2.0
//
// The windows of one exporter whose plugin takes them: their queue, what of it is shown as
// counters, and the accounts. Samples have queues of their own, one per core; see exporter.cpp for
// both.
#pragma once

#include "config/config.hpp"
#include "exporter/plugin_counters.hpp"
#include "exporter/queue_accounts.hpp"
#include "stats/window_queue.hpp"

#include <latmon/plugin.h>
#include <latmon/window.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace latmon {

// What the exporter takes: the operator's word, then the plugin's, then ours. `windows` is the
// plugin's ability, or null. The first is a mask of ..._kind_bit, the second of window_..._bit.
[[nodiscard]] std::uint32_t kinds_of(const ExporterConfig& config,
                                     const latmon_windows_t* windows) noexcept;
[[nodiscard]] std::uint32_t lengths_of(const ExporterConfig& config,
                                       const latmon_windows_t* windows) noexcept;

class WindowFeed {
public:
    // For `series` series; `lengths` is not 0. `counters` are the exporter's, or null.
    // [main-thread]
    WindowFeed(std::uint32_t lengths, std::size_t series, PluginCounters* counters);
    WindowFeed(const WindowFeed&) = delete;
    WindowFeed& operator=(const WindowFeed&) = delete;

    [[nodiscard]] WindowQueue& queue() noexcept { return queue_; }

    // The oldest windows, at most `most`, valid until the next call; and what became of them. Also
    // shows the accounts as counters. [exporter-thread]
    [[nodiscard]] std::span<const latmon_window_t* const> take(std::size_t most);
    void settle(std::size_t count, latmon_result_t result) noexcept;

    // Nobody takes what is left. [exporter-thread]
    void abandon_rest() noexcept;

    // How many were ever put into the queue. [any-thread]
    [[nodiscard]] std::uint64_t pushed() const noexcept { return queue_.pushed.read(); }

    // [any-thread]
    [[nodiscard]] QueueAccounts accounts() const noexcept;

private:
    struct Shown {
        std::string_view name;
        PublishedCounter WindowQueue::*counter;
        latmon_counter* shown = nullptr;
    };

    WindowQueue queue_;
    std::array<Shown, PluginCounters::own_count_max> shown_{
        {{"made_windows_total", &WindowQueue::made},
         {"exported_windows_total", &WindowQueue::exported},
         {"rejected_windows_total", &WindowQueue::rejected},
         {"dropped_windows_total", &WindowQueue::dropped}}};
};

}  // namespace latmon
