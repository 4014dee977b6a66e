// SPDX-License-Identifier: Apache-2.0
//
// See window_feed.hpp.
#include "exporter/window_feed.hpp"

#include "base/limits.hpp"

namespace latmon {

// The configuration does not see the ABI and has its own names for these bits.
static_assert(window_1s_bit == LATMON_WINDOW_1S);
static_assert(window_5s_bit == LATMON_WINDOW_5S);
static_assert(window_60s_bit == LATMON_WINDOW_60S);

std::uint32_t kinds_of(const ExporterConfig& config, const latmon_windows_t* windows) noexcept {
    if (config.kinds) return *config.kinds;
    if (config.is_compatible) return exporter_kinds_compatible;
    return windows == nullptr ? exporter_kinds_default : windows->default_kinds;
}

// The ancestor had no windows.
std::uint32_t lengths_of(const ExporterConfig& config, const latmon_windows_t* windows) noexcept {
    if (windows == nullptr || config.is_compatible) return 0;
    return config.window_lengths.value_or(windows->default_lengths);
}

WindowFeed::WindowFeed(std::uint32_t lengths, std::size_t series, PluginCounters* counters)
    : queue_(WindowQueue::blocks_for(series, lengths), lengths) {
    if (counters == nullptr) return;
    for (Shown& counter : shown_)
        counter.shown = &counters->add_own(counter.name);
}

std::span<const latmon_window_t* const> WindowFeed::take(std::size_t most) {
    for (const Shown& counter : shown_) {
        if (counter.shown == nullptr) break;
        counter.shown->value.store((queue_.*counter.counter).read(), std::memory_order_relaxed);
    }
    return queue_.pop(most);
}

void WindowFeed::settle(std::size_t count, latmon_result_t result) noexcept {
    (result == LATMON_RESULT_OK ? queue_.exported : queue_.rejected).add(count);
}

void WindowFeed::abandon_rest() noexcept {
    queue_.abandoned.add(queue_.queued());
}

QueueAccounts WindowFeed::accounts() const noexcept {
    QueueAccounts sums{.exported = queue_.exported.read(),
                       .rejected = queue_.rejected.read(),
                       .dropped = queue_.dropped.read(),
                       .abandoned = queue_.abandoned.read()};
    sums.made = queue_.made.read();  // Last: what is seen to be made may still be on its way.
    sums.queued = sums.made - sums.exported - sums.rejected - sums.dropped - sums.abandoned;
    return sums;
}

}  // namespace latmon
