// SPDX-License-Identifier: Apache-2.0
//
// See stats_thread.hpp.
#include "daemon/stats_thread.hpp"

#include "base/assert.hpp"
#include "base/background_thread.hpp"
#include "base/limits.hpp"
#include "config/config.hpp"
#include "sample/sample.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace latmon {
namespace {

// Asleep for at most this long, as an exporter-thread.
constexpr Duration pause_min = Duration::from_ms(1);
constexpr Duration pause_max = Duration::from_ms(16);

// From stamping a sample to pushing it a core-thread takes microseconds, unless it loses its CPU in
// between. What comes later than this goes into the next window, and is counted.
constexpr Duration close_after = Duration::from_ms(50);

// Batches of each core, in which a queue of the default length is emptied many times over.
constexpr std::uint32_t turns_backlogged_max = 256;

}  // namespace

StatsThread::StatsThread(const Clock& clock, const AggregatorOptions& options)
    : clock_(clock), aggregator_(options) {}

void StatsThread::make_queues(std::uint32_t core_count, std::uint32_t queue_samples) {
    LATMON_ASSERT(queues_.empty());
    for (std::uint32_t core = 0; core < core_count; ++core)
        queues_.push_back(std::make_unique<SampleQueue>(queue_samples, stats_kinds));
}

StatsThread::~StatsThread() {
    LATMON_ASSERT(!thread_.joinable());
}

SampleQueue* StatsThread::queue(std::uint32_t core_index) noexcept {
    if (queues_.empty()) return nullptr;
    LATMON_ASSERT(core_index < queues_.size());
    return queues_[core_index].get();
}

void StatsThread::replace_output(WindowQueue* former, WindowQueue* heir) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (former != nullptr) std::erase(outputs_, former);
    if (heir != nullptr) outputs_.push_back(heir);
}

void StatsThread::begin(std::span<const SeriesBegin> series) {
    if (queues_.empty()) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const SeriesBegin& each : series) {
        if ((kind_bit(each.kind) & stats_kinds) == 0) continue;
        std::optional<Objective> objective;
        // Of exchanges: who makes promises of handshakes has not asked for it.
        if (each.kind == LATMON_KIND_EXCHANGE && each.target->objective) {
            objective = Objective{each.target->objective->ratio, each.target->objective->rtt};
        }
        aggregator_.define(each.series_id, each.kind, objective);
    }
}

void StatsThread::end(std::span<const std::uint32_t> ids) {
    if (queues_.empty()) return;
    Ending ending{.ids = {ids.begin(), ids.end()}, .after = {}};
    const std::lock_guard<std::mutex> lock(mutex_);  // No sample is in hand.
    for (const std::unique_ptr<SampleQueue>& queue : queues_)
        ending.after.push_back(queue->exported.read() + queue->queue.size());
    endings_.push_back(std::move(ending));
}

bool StatsThread::has_ended() {
    const auto is_taken = [this](const Ending& ending) {
        for (std::size_t core = 0; core < queues_.size(); ++core) {
            if (queues_[core]->exported.read() < ending.after[core]) return false;
        }
        return true;
    };
    while (!endings_.empty() && is_taken(endings_.front())) {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (const std::uint32_t id : endings_.front().ids)
            aggregator_.end(id, *this);
        endings_.erase(endings_.begin());
    }
    return endings_.empty();
}

void StatsThread::with(const std::function<void(Aggregator&)>& action) {
    const std::lock_guard<std::mutex> lock(mutex_);
    action(aggregator_);
}

void StatsThread::start(std::span<const std::uint32_t> core_cpus) {
    LATMON_ASSERT(!thread_.joinable());
    thread_ = start_background_thread(
        {.name = "lm-stats", .core_cpus = {core_cpus.begin(), core_cpus.end()}, .nice = 0},
        [this] { run(); });
}

void StatsThread::drain_and_stop() {
    if (!thread_.joinable()) return;
    is_draining_.store(true, std::memory_order_release);
    thread_.join();
}

// -- aggregator-thread --------------------------------------------------------------------------

void StatsThread::run() {
    std::vector<Sample> batch(limits::export_batch_samples);
    Duration pause = pause_min;
    for (;;) {
        // Read before the turn: if it is set, an empty turn means that nothing will ever come.
        const bool is_draining = is_draining_.load(std::memory_order_acquire);
        if (take_turn(batch) > 0) {
            pause = pause_min;
            continue;
        }
        if (is_draining) break;
        std::this_thread::sleep_for(std::chrono::nanoseconds(pause.ns));
        pause = std::min(pause * 2, pause_max);
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    aggregator_.finish(*this);
}

// The time is read before the queues are: what was made until then is in them.
std::uint32_t StatsThread::take_turn(std::span<Sample> batch) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const WallTime closed_until = clock_.wall_now() - close_after;
    std::uint32_t taken = 0;
    bool is_backlogged = false;
    for (const std::unique_ptr<SampleQueue>& queue : queues_) {
        const std::uint32_t count = queue->queue.pop_batch(batch);
        aggregator_.take(batch.first(count));
        queue->exported.add(count);
        taken += count;
        is_backlogged = is_backlogged || count == batch.size();
    }
    // While a queue holds more than a batch, samples of the window may still be in it. Who can
    // never keep up closes windows all the same: what is late is counted as such.
    turns_backlogged_ = is_backlogged ? turns_backlogged_ + 1 : 0;
    if (turns_backlogged_ > turns_backlogged_max) turns_backlogged_ = 0;
    if (turns_backlogged_ == 0) aggregator_.advance(closed_until, *this);
    show_figures();
    return taken;
}

// In the order of stats_series_names.
void StatsThread::show_figures() noexcept {
    const AggregatorCounters& counters = aggregator_.counters();
    figures_[0].store(counters.refused, std::memory_order_relaxed);
    figures_[1].store(counters.after_end, std::memory_order_relaxed);
    figures_[2].store(counters.out_of_place, std::memory_order_relaxed);
}

void StatsThread::on_window(const latmon_window_t& window) {
    for (WindowQueue* const output : outputs_)
        output->emit(window);
}

}  // namespace latmon
