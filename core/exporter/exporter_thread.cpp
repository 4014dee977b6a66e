// SPDX-License-Identifier: Apache-2.0
//
// The exporter-thread: takes batches out of the queues, hands them to the plugin, and settles what
// became of them. See exporter.cpp for the accounts.
#include "exporter/exporter_state.hpp"

#include <algorithm>
#include <chrono>

namespace latmon {
namespace {

// Asleep for at most this long: 60 wake-ups a second when idle, and samples wait no longer. Queues
// hold several times what a core makes meanwhile (limits::queue_samples_default).
constexpr Duration pause_min = Duration::from_ms(1);
constexpr Duration pause_max = Duration::from_ms(16);

constexpr Duration flush_interval = Duration::from_s(1);

}  // namespace

void Exporter::State::run() {
    std::vector<Sample> batch(limits::export_batch_samples);
    Duration pause = pause_min;
    last_flush = clock.now();
    while (!is_overdue()) {
        // Read before the turn: if it is set, an empty turn means that nothing will ever come.
        const bool is_draining = drain_until_ns.load(std::memory_order_acquire) != never_ns;
        tell_series_news();
        if (!export_turn(batch) || !export_windows()) return;
        flush_if_due();
        reopen_if_asked();
        if (turn_samples > 0) {
            pause = pause_min;
            continue;
        }
        if (is_draining && !has_series_news()) break;
        std::this_thread::sleep_for(std::chrono::nanoseconds(pause.ns));
        pause = std::min(pause * 2, pause_max);
    }
    if (abandon_rest(batch)) flush();
}

// One batch from each core in turn, so that a busy core cannot starve another. False if the
// main-thread has given this exporter up.
bool Exporter::State::export_turn(std::span<Sample> batch) {
    turn_samples = 0;
    is_backlogged = false;
    for (std::size_t core = 0; core < queues.size(); ++core) {
        const std::unique_ptr<SampleQueue>& queue = queues[core];
        if (is_overdue()) return true;
        const std::uint32_t count = take(core, batch);
        if (count == 0) continue;
        const latmon_result_t result =
            call_plugin([&] { return plugin.table->export_batch(instance, batch.data(), count); });
        const std::lock_guard<std::mutex> lock(settling);
        if (is_given_up) return false;
        settle(*queue, count, result);
        turn_samples += count;
        is_backlogged = is_backlogged || count == batch.size();
    }
    has_unflushed = has_unflushed || turn_samples > 0;
    return true;
}

// As many windows as there are up to a batch, and no further than take() goes. False as above.
bool Exporter::State::export_windows() {
    if (window_feed == nullptr || is_overdue()) return true;
    const std::size_t place = queues.size();  // In `popped`.
    std::uint64_t most = limits::export_batch_windows;
    {
        const std::lock_guard<std::mutex> lock(settling);
        most = std::min(most, news.room(place, popped[place]));
    }
    const std::span<const latmon_window_t* const> windows = window_feed->take(most);
    if (windows.empty()) return true;
    const std::uint32_t count = static_cast<std::uint32_t>(windows.size());
    const latmon_result_t result =
        call_plugin([&] { return windowing->export_windows(instance, windows.data(), count); });
    const std::lock_guard<std::mutex> lock(settling);
    if (is_given_up) return false;
    window_feed->settle(count, result);
    popped[place] += count;
    turn_samples += count;
    has_unflushed = true;
    is_backlogged = is_backlogged || count == limits::export_batch_windows;
    return true;
}

// No further than to where there is something to tell first: whoever tells of a series does so, and
// under this lock, before its first sample is made.
std::uint32_t Exporter::State::take(std::size_t core, std::span<Sample> batch) {
    const std::lock_guard<std::mutex> lock(settling);
    if (is_given_up) return 0;
    const std::uint64_t room = news.room(core, popped[core]);
    in_hand = queues[core]->queue.pop_batch(batch.first(std::min(batch.size(), room)));
    popped[core] += in_hand;
    return in_hand;
}

bool Exporter::State::has_series_news() {
    const std::lock_guard<std::mutex> lock(settling);
    return !news.is_empty();
}

void Exporter::State::tell_series_news() {
    if (series_events == nullptr) return;
    for (;;) {
        std::unique_lock<std::mutex> lock(settling);
        const std::optional<SeriesNewsItem> item = news.take_due(popped);
        lock.unlock();
        if (!item) return;
        const auto tell = item->is_added ? series_events->added : series_events->removed;
        if (tell == nullptr) continue;
        static_cast<void>(call_plugin([&] {
            tell(instance, item->ids.data(), static_cast<std::uint32_t>(item->ids.size()));
            return LATMON_RESULT_OK;
        }));
    }
}

// `settling` is held.
void Exporter::State::settle(SampleQueue& queue, std::uint32_t count, latmon_result_t result) {
    (result == LATMON_RESULT_OK ? queue.exported : queue.rejected).add(count);
    in_hand = 0;
}

// No-one pushes any more. False if the main-thread has given this exporter up: what is left is then
// counted already, where it is.
bool Exporter::State::abandon_rest(std::span<Sample> batch) {
    const std::lock_guard<std::mutex> lock(settling);
    if (is_given_up) return false;
    for (const std::unique_ptr<SampleQueue>& queue : queues) {
        for (std::uint32_t count = 1; count > 0;) {
            count = queue->queue.pop_batch(batch);
            queue->abandoned.add(count);
        }
    }
    if (window_feed != nullptr) window_feed->abandon_rest();
    return true;
}

void Exporter::State::flush_if_due() {
    if (!has_unflushed || is_backlogged) return;
    if (clock.now() - last_flush >= flush_interval) flush();
}

// The samples are counted already; what a failed flush means is the plugin's to say in its log.
void Exporter::State::flush() {
    last_flush = clock.now();
    has_unflushed = false;
    if (plugin.table->flush == nullptr) return;
    static_cast<void>(call_plugin([&] { return plugin.table->flush(instance); }));
}

// What was emitted before the signal may go to either file: nothing says which it is of.
void Exporter::State::reopen_if_asked() {
    // A signal that comes from here on is one of its own: the files may have moved again.
    if (!must_reopen.exchange(false)) return;
    if (reopening == nullptr) return;
    static_cast<void>(call_plugin([&] { return reopening->reopen(instance); }));
}

template <typename Call>
latmon_result_t Exporter::State::call_plugin(Call&& call) noexcept {
    try {
        return call();
    } catch (...) {
        if (!has_thrown) {
            host.log(
                LATMON_LOG_ERROR,
                "the plugin threw an exception, which the ABI forbids; the batch is counted as "
                "rejected, and so are those that follow it in silence");
        }
        has_thrown = true;
        return LATMON_RESULT_ERROR;
    }
}

}  // namespace latmon
