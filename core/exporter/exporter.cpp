// SPDX-License-Identifier: Apache-2.0
//
// The life of one exporter, and its thread. The thread polls: for a core-thread to wake it would
// cost that core a system call per sample, which is more than the push itself.
//
// Accounts. Between leaving the queue and being settled, samples are "in hand": of one batch, of
// one core. `settling` guards those moments and the sight of them, never a call into the plugin, so
// that accounts() balances to the sample whenever the core-threads are quiet, even while the plugin
// is stuck. Samples in hand count as queued. If the plugin does not return in time at stop they
// count as abandoned, together with all that is queued behind them, and for good: should the plugin
// return after all, the thread ends without counting them again.
#include "exporter/exporter.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "exporter/host.hpp"
#include "exporter/library.hpp"
#include "exporter/options.hpp"

#include <latmon/reopen.h>
#include <latmon/window.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pthread.h>
#include <sched.h>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

namespace latmon {
namespace {

// Asleep for at most this long: 60 wake-ups a second when idle, and samples wait no longer. Queues
// hold several times what a core makes meanwhile (limits::queue_samples_default).
constexpr Duration pause_min = Duration::from_ms(1);
constexpr Duration pause_max = Duration::from_ms(16);

constexpr Duration flush_interval = Duration::from_s(1);

// Nobody has asked to stop. CLOCK_MONOTONIC never gets there.
constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

// The configuration does not see the ABI and has its own names for these bits.
static_assert(exchange_kind_bit == kind_bit(LATMON_KIND_EXCHANGE));
static_assert(connect_kind_bit == kind_bit(LATMON_KIND_CONNECT));
static_assert(reflection_kind_bit == kind_bit(LATMON_KIND_REFLECTION));
static_assert(node_kind_bit == kind_bit(LATMON_KIND_NODE));
static_assert(counter_kind_bit == kind_bit(LATMON_KIND_COUNTER));
static_assert(gauge_kind_bit == kind_bit(LATMON_KIND_GAUGE));
static_assert(timing_kind_bit == kind_bit(LATMON_KIND_TIMING));

// How many series of the table may have windows.
std::size_t windowed_series(const SeriesSource& series) noexcept {
    return static_cast<std::size_t>(
        std::count_if(series.table.begin(), series.table.end(),
                      [](const Series& one) { return (kind_bit(one.kind) & stats_kinds) != 0; }));
}

std::string position_of(const ExporterConfig& config, const std::string& file) {
    if (config.where.line == 0) return "";
    return fmt::format("{}:{}:{}: ", file, config.where.line, config.where.column);
}

// Empty if all CPUs that this process may use are core_cpus: then there is nowhere to go.
cpu_set_t cpus_off(std::span<const std::uint32_t> core_cpus) noexcept {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    if (::sched_getaffinity(0, sizeof(cpus), &cpus) != 0) CPU_ZERO(&cpus);
    for (const std::uint32_t cpu : core_cpus) {
        if (cpu < CPU_SETSIZE) CPU_CLR(cpu, &cpus);
    }
    return cpus;
}

// Blocks every signal while it lives: a thread made meanwhile starts, and stays, without any.
class SignalsBlocked {
public:
    SignalsBlocked() noexcept {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t before_{};
};

}  // namespace

struct Exporter::State {
    State(ExporterConfig exporter_config, const SeriesSource& series)
        : config(std::move(exporter_config)),
          counters(series.late == nullptr ? nullptr : series.late->counters_of(config.name)),
          // The ancestor's log lines are read by programs, and it has but one backend: no mark.
          host(config.is_compatible ? "" : fmt::format("exporter {}: ", config.name), series,
               counters) {}

    [[nodiscard]] Result<void> create(const std::string& config_file);
    void ask_for_abilities() noexcept;
    void destroy() noexcept;
    [[nodiscard]] Result<void> check_windows(const std::string& config_file) const;
    void make_queues(std::uint32_t core_count, std::size_t series);

    void run();
    bool export_turn(std::span<Sample> batch);
    bool export_windows();
    std::uint32_t take(SampleQueue& queue, std::span<Sample> batch);
    void settle(SampleQueue& queue, std::uint32_t count, latmon_result_t result);
    bool abandon_rest(std::span<Sample> batch);
    void flush();
    void flush_if_due();
    void reopen_if_asked();
    template <typename Call>
    latmon_result_t call_plugin(Call&& call) noexcept;

    [[nodiscard]] bool is_overdue() const noexcept {
        return clock.now().ns >= drain_until_ns.load(std::memory_order_acquire);
    }

    const ExporterConfig config;  // Options hand out strings of it: first in, last out.
    LoadedPlugin plugin;
    PluginCounters* counters;  // The plugin's own; may be null.
    Host host;
    void* instance = nullptr;                          // What the plugin's create() returned.
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

    // Set once, by the main-thread, after the last push: what the thread sees after it is complete.
    std::atomic<std::int64_t> drain_until_ns{never_ns};

    mutable std::mutex settling;
    std::uint32_t in_hand = 0;  // Popped, outcome not known. Guarded by `settling`.
    bool is_given_up = false;   // The rest counts as abandoned. Guarded by `settling`.

    std::thread thread;
    std::promise<void> ended;
    std::future<void> has_ended = ended.get_future();
};

// ---- Set-up and tear-down: main-thread ---------------------------------------------------------

Result<void> Exporter::State::create(const std::string& config_file) {
    Options options(config, config_file);
    const latmon_options_t handle{&options};
    try {
        instance = plugin.table->create(host.table(), &handle);
    } catch (...) {
        host.log(LATMON_LOG_ERROR, "create() threw an exception, which the ABI forbids");
    }
    if (counters != nullptr) counters->close();

    OptionReport report = instance == nullptr ? options.report() : options.report_with_unknown();
    for (const std::string& line : report.warnings) {
        log::warning(line);
    }
    if (instance == nullptr) {
        const std::string reason = host.last_complaint();
        report.errors.push_back(fmt::format(
            "{}exporter {}: the plugin refused its options; it said: {}",
            position_of(config, config_file), config.name, reason.empty() ? "nothing" : reason));
    }
    if (report.errors.empty()) return {};
    return fail(ExitCode::configuration, fmt::format("{}", fmt::join(report.errors, "\n")));
}

void Exporter::State::ask_for_abilities() noexcept {
    if (plugin.table->extension == nullptr) return;
    try {
        reopening = static_cast<const latmon_reopen_t*>(plugin.table->extension(LATMON_REOPEN_1));
        windowing = static_cast<const latmon_windows_t*>(plugin.table->extension(LATMON_WINDOWS_1));
    } catch (...) {
        host.log(LATMON_LOG_ERROR, "extension() threw an exception, which the ABI forbids");
    }
}

void Exporter::State::destroy() noexcept {
    if (instance == nullptr) return;
    try {
        plugin.table->destroy(instance);
    } catch (...) {
        host.log(LATMON_LOG_ERROR, "destroy() threw an exception, which the ABI forbids");
    }
    instance = nullptr;
}

Result<void> Exporter::State::check_windows(const std::string& config_file) const {
    if (config.window_lengths.value_or(0) == 0 || windowing != nullptr) return {};
    return fail(ExitCode::configuration,
                fmt::format("{}exporter {}: \"windows\" is set, but the plugin {} takes samples "
                            "alone; remove the key",
                            position_of(config, config_file), config.name, plugin.table->name));
}

void Exporter::State::make_queues(std::uint32_t core_count, std::size_t series) {
    for (std::uint32_t core = 0; core < core_count; ++core) {
        queues.push_back(
            std::make_unique<SampleQueue>(config.queue_samples, kinds_of(config, windowing)));
    }
    const std::uint32_t lengths = lengths_of(config, windowing);
    if (lengths != 0) window_feed = std::make_unique<WindowFeed>(lengths, series, counters);
}

Result<std::unique_ptr<Exporter>> Exporter::open(const ExporterConfig& config,
                                                 const std::string& config_file,
                                                 std::span<const std::string> plugin_path,
                                                 const SeriesSource& series,
                                                 std::uint32_t core_count) {
    Result<LoadedPlugin> plugin = load_plugin(config, plugin_path);
    if (!plugin) {
        return fail(plugin.error().code,
                    fmt::format("{}exporter {}: {}", position_of(config, config_file), config.name,
                                plugin.error().text));
    }
    auto state = std::make_unique<State>(config, series);
    state->plugin = std::move(*plugin);
    const Result<void> created = state->create(config_file);
    if (!created) {
        state->destroy();
        return std::unexpected(created.error());
    }
    state->ask_for_abilities();
    if (const Result<void> windows = state->check_windows(config_file); !windows) {
        state->destroy();
        return std::unexpected(windows.error());
    }
    state->make_queues(core_count, windowed_series(series));
    const char* const version = state->plugin.table->version;
    log::info(fmt::format("exporter {}: plugin {} {} from {}", config.name,
                          state->plugin.table->name, version == nullptr ? "" : version,
                          state->plugin.file));
    return std::unique_ptr<Exporter>(new Exporter(std::move(state)));
}

Exporter::Exporter(std::unique_ptr<State> state) : state_(std::move(state)) {}

Exporter::~Exporter() {
    LATMON_ASSERT(!state_->thread.joinable());
    state_->destroy();
}

SampleQueue& Exporter::queue(std::uint32_t core_index) noexcept {
    LATMON_ASSERT(core_index < state_->queues.size());
    return *state_->queues[core_index];
}

WindowQueue* Exporter::windows() noexcept {
    return state_->window_feed == nullptr ? nullptr : &state_->window_feed->queue();
}

void Exporter::start(std::span<const std::uint32_t> core_cpus) {
    LATMON_ASSERT(!state_->thread.joinable());
    const cpu_set_t cpus = cpus_off(core_cpus);
    State* const state = state_.get();
    const SignalsBlocked blocked;
    state->thread = std::thread([state, cpus] {
        // The kernel keeps 15 characters of a thread's name. Neither call may fail in a way that
        // would be worth stopping for.
        const std::string name = ("lm-exp-" + state->config.name).substr(0, 15);
        ::pthread_setname_np(::pthread_self(), name.c_str());
        if (CPU_COUNT(&cpus) > 0) {
            ::pthread_setaffinity_np(::pthread_self(), sizeof(cpus), &cpus);
        }
        state->run();
        state->ended.set_value();
    });
}

void Exporter::begin_drain(Duration grace) {
    if (state_->drain_until_ns.load(std::memory_order_relaxed) != never_ns) return;
    // The last eighth is for the plugin's flush().
    const Instant until = state_->clock.now() + grace * 7 / 8;
    state_->drain_until_ns.store(until.ns, std::memory_order_release);
}

bool Exporter::drain_and_stop(Duration grace) {
    if (!state_->thread.joinable()) return true;
    begin_drain(grace);
    const std::future_status status =
        state_->has_ended.wait_for(std::chrono::nanoseconds(grace.ns));
    if (status != std::future_status::ready) {
        const std::lock_guard<std::mutex> lock(state_->settling);
        state_->is_given_up = true;
        return false;
    }
    state_->thread.join();
    return true;
}

void Exporter::ask_to_reopen() noexcept {
    state_->must_reopen.store(true);
}

const std::string& Exporter::name() const noexcept {
    return state_->config.name;
}

ExporterAccounts Exporter::accounts() const {
    ExporterAccounts sums{.name = state_->config.name};
    const std::lock_guard<std::mutex> lock(state_->settling);
    std::uint64_t waiting = state_->in_hand;
    for (const std::unique_ptr<SampleQueue>& queue : state_->queues) {
        waiting += queue->queue.size();
        sums.exported += queue->exported.read();
        sums.rejected += queue->rejected.read();
        sums.abandoned += queue->abandoned.read();
        sums.dropped += queue->dropped.read();
        sums.made += queue->made.read();  // Last: what is seen to be made may still be on its way.
    }
    (state_->is_given_up ? sums.abandoned : sums.queued) += waiting;
    if (state_->window_feed != nullptr) sums.windows = state_->window_feed->accounts();
    if (state_->is_given_up) sums.windows.abandoned += std::exchange(sums.windows.queued, 0);
    const PluginCounters* const own = state_->counters;
    for (std::uint32_t index = 0; own != nullptr && index < own->count(); ++index) {
        sums.counters.emplace_back(own->name(index), own->value(index));
    }
    return sums;
}

// ---- exporter-thread ---------------------------------------------------------------------------

void Exporter::State::run() {
    std::vector<Sample> batch(limits::export_batch_samples);
    Duration pause = pause_min;
    last_flush = clock.now();
    while (!is_overdue()) {
        // Read before the turn: if it is set, an empty turn means that nothing will ever come.
        const bool is_draining = drain_until_ns.load(std::memory_order_acquire) != never_ns;
        if (!export_turn(batch) || !export_windows()) return;
        flush_if_due();
        reopen_if_asked();
        if (turn_samples > 0) {
            pause = pause_min;
            continue;
        }
        if (is_draining) break;
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
    for (const std::unique_ptr<SampleQueue>& queue : queues) {
        if (is_overdue()) return true;
        const std::uint32_t count = take(*queue, batch);
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

// As many windows as there are up to a batch. False as above.
bool Exporter::State::export_windows() {
    if (window_feed == nullptr || is_overdue()) return true;
    const std::span<const latmon_window_t* const> windows = window_feed->take();
    if (windows.empty()) return true;
    const std::uint32_t count = static_cast<std::uint32_t>(windows.size());
    const latmon_result_t result =
        call_plugin([&] { return windowing->export_windows(instance, windows.data(), count); });
    const std::lock_guard<std::mutex> lock(settling);
    if (is_given_up) return false;
    window_feed->settle(count, result);
    turn_samples += count;
    has_unflushed = true;
    is_backlogged = is_backlogged || count == limits::export_batch_windows;
    return true;
}

std::uint32_t Exporter::State::take(SampleQueue& queue, std::span<Sample> batch) {
    const std::lock_guard<std::mutex> lock(settling);
    if (is_given_up) return 0;
    in_hand = queue.queue.pop_batch(batch);
    return in_hand;
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
