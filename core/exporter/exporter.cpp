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
#include "base/background_thread.hpp"
#include "base/log.hpp"
#include "exporter/exporter_state.hpp"
#include "exporter/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <chrono>

namespace latmon {
namespace {

// For a page of the plugin's that is being made when it is to be destroyed.
constexpr Duration route_patience = Duration::from_s(2);

// The configuration does not see the ABI and has its own names for these bits.
static_assert(exchange_kind_bit == kind_bit(LATMON_KIND_EXCHANGE));
static_assert(connect_kind_bit == kind_bit(LATMON_KIND_CONNECT));
static_assert(reflection_kind_bit == kind_bit(LATMON_KIND_REFLECTION));
static_assert(node_kind_bit == kind_bit(LATMON_KIND_NODE));
static_assert(counter_kind_bit == kind_bit(LATMON_KIND_COUNTER));
static_assert(gauge_kind_bit == kind_bit(LATMON_KIND_GAUGE));
static_assert(timing_kind_bit == kind_bit(LATMON_KIND_TIMING));

// How many series may have windows, as far as is known.
std::size_t windowed_series(const SeriesRegistry& registry) noexcept {
    std::size_t count = 0;
    for (std::uint32_t id = 0; id < registry.end_id(); ++id) {
        const std::optional<latmon_kind_t> kind = registry.kind_of(id);
        if (kind && (kind_bit(*kind) & stats_kinds) != 0) ++count;
    }
    return count;
}

std::string position_of(const ExporterConfig& config, const std::string& file) {
    if (config.where.line == 0) return "";
    return fmt::format("{}:{}:{}: ", file, config.where.line, config.where.column);
}

Result<LoadedPlugin> load(const ExporterConfig& config, const std::string& config_file,
                          std::span<const std::string> plugin_path) {
    Result<LoadedPlugin> plugin = load_plugin(config, plugin_path);
    if (plugin) return plugin;
    return fail(plugin.error().code,
                fmt::format("{}exporter {}: {}", position_of(config, config_file), config.name,
                            plugin.error().text));
}

Result<void> check_windows(const ExporterConfig& config, const std::string& config_file,
                           const latmon_plugin_t& plugin, const latmon_windows_t* windowing) {
    if (config.window_lengths.value_or(0) == 0 || windowing != nullptr) return {};
    return fail(ExitCode::configuration,
                fmt::format("{}exporter {}: \"windows\" is set, but the plugin {} takes samples "
                            "alone; remove the key",
                            position_of(config, config_file), config.name, plugin.name));
}

}  // namespace

// ---- Set-up and tear-down: main-thread ---------------------------------------------------------

Result<void> Exporter::State::create(const std::string& config_file) {
    Options options(config, config_file);
    const latmon_options_t handle{&options};
    try {
        instance = plugin.table->create(host.table(), &handle);
    } catch (...) {
        host.log(LATMON_LOG_ERROR, "create() threw an exception, which the ABI forbids");
    }
    counters.close();

    OptionReport report = instance == nullptr ? options.report() : options.report_with_unknown();
    for (const std::string& line : report.warnings) {
        log::warning(line);
    }
    // No option is to blame for that.
    const Error* const missed = instance == nullptr ? host.routes().missed_listener() : nullptr;
    if (missed != nullptr && report.errors.empty()) {
        return fail(missed->code,
                    fmt::format("{}exporter {} has a page on the admin listener: {}",
                                position_of(config, config_file), config.name, missed->text));
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
        series_events =
            static_cast<const latmon_series_events_t*>(plugin.table->extension(LATMON_SERIES_1));
        windowing = static_cast<const latmon_windows_t*>(plugin.table->extension(LATMON_WINDOWS_1));
    } catch (...) {
        host.log(LATMON_LOG_ERROR, "extension() threw an exception, which the ABI forbids");
    }
}

bool Exporter::State::destroy() noexcept {
    if (is_left_behind) return false;
    if (!host.routes().close(route_patience)) {
        is_left_behind = true;
        host.log(LATMON_LOG_ERROR, "an answer of the plugin's does not return; it is left behind");
        return false;
    }
    if (instance == nullptr) return true;
    try {
        plugin.table->destroy(instance);
    } catch (...) {
        host.log(LATMON_LOG_ERROR, "destroy() threw an exception, which the ABI forbids");
    }
    instance = nullptr;
    return true;
}

void Exporter::State::make_queues(std::uint32_t core_count, std::size_t series) {
    for (std::uint32_t core = 0; core < core_count; ++core) {
        queues.push_back(
            std::make_unique<SampleQueue>(config.queue_samples, kinds_of(config, windowing)));
    }
    popped.resize(core_count + 1);  // The last is that of windows.
    const std::uint32_t lengths = lengths_of(config, windowing);
    if (lengths != 0) window_feed = std::make_unique<WindowFeed>(lengths, series, &counters);
}

Result<std::unique_ptr<Exporter>> Exporter::open(const ExporterConfig& config,
                                                 const std::string& config_file,
                                                 std::span<const std::string> plugin_path,
                                                 const SeriesSource& series,
                                                 std::uint32_t core_count) {
    Result<LoadedPlugin> plugin = load(config, config_file, plugin_path);
    if (!plugin) return std::unexpected(plugin.error());
    auto state = std::make_unique<State>(config, series);
    state->plugin = std::move(*plugin);
    const Result<void> created = state->create(config_file);
    if (!created) {
        static_cast<void>(state->destroy());  // Its pages were never answered.
        return std::unexpected(created.error());
    }
    state->ask_for_abilities();
    const Result<void> windows =
        check_windows(config, config_file, *state->plugin.table, state->windowing);
    if (!windows) {
        static_cast<void>(state->destroy());  // Its pages were never answered.
        return std::unexpected(windows.error());
    }
    state->make_queues(core_count, windowed_series(*series.registry));
    const char* const version = state->plugin.table->version;
    log::info(fmt::format("exporter {}: plugin {} {} from {}", config.name,
                          state->plugin.table->name, version == nullptr ? "" : version,
                          state->plugin.file));
    return std::unique_ptr<Exporter>(new Exporter(std::move(state)));
}

Result<void> Exporter::check(const ExporterConfig& config, const std::string& config_file,
                             std::span<const std::string> plugin_path) {
    const Result<LoadedPlugin> plugin = load(config, config_file, plugin_path);
    if (!plugin) return std::unexpected(plugin.error());
    const void* windowing = nullptr;
    try {
        const latmon_plugin_t& table = *plugin->table;
        if (table.extension != nullptr) windowing = table.extension(LATMON_WINDOWS_1);
    } catch (...) {
        // The ABI forbids it, as the log says at the start; what threw has no such ability.
    }
    return check_windows(config, config_file, *plugin->table,
                         static_cast<const latmon_windows_t*>(windowing));
}

Exporter::Exporter(std::unique_ptr<State> state) : state_(std::move(state)) {}

Exporter::~Exporter() {
    LATMON_ASSERT(!state_->thread.joinable());
    if (!state_->destroy()) [[maybe_unused]]
        const State* const left_behind = state_.release();
}

SampleQueue& Exporter::queue(std::uint32_t core_index) noexcept {
    LATMON_ASSERT(core_index < state_->queues.size());
    return *state_->queues[core_index];
}

WindowQueue* Exporter::windows() noexcept {
    return state_->window_feed == nullptr ? nullptr : &state_->window_feed->queue();
}

void Exporter::set_leaving(bool is_leaving) {
    state_->host.routes().set_leaving(is_leaving);
}

void Exporter::start(std::span<const std::uint32_t> core_cpus) {
    LATMON_ASSERT(!state_->thread.joinable());
    State* const state = state_.get();
    state->host.routes().open();
    state->thread = start_background_thread({.name = "lm-exp-" + state->config.name,
                                             .core_cpus = {core_cpus.begin(), core_cpus.end()},
                                             .nice = 0},
                                            [state] {
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

bool Exporter::has_ended() const {
    return !state_->thread.joinable() ||
           state_->has_ended.wait_for(std::chrono::nanoseconds(0)) == std::future_status::ready;
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

void Exporter::end_plugin() noexcept {
    if (!state_->thread.joinable()) static_cast<void>(state_->destroy());
}

void Exporter::ask_to_reopen() noexcept {
    state_->must_reopen.store(true);
}

const std::string& Exporter::name() const noexcept {
    return state_->config.name;
}

const ExporterConfig& Exporter::config() const noexcept {
    return state_->config;
}

PluginCounters& Exporter::counters() noexcept {
    return state_->counters;
}

bool Exporter::has_new_file() const {
    const std::string identity = identity_of_file(state_->plugin.file);
    return !identity.empty() && identity != state_->plugin.identity;
}

void Exporter::tell_added(std::span<const std::uint32_t> ids) {
    state_->post(true, ids);
}

void Exporter::tell_removed(std::span<const std::uint32_t> ids) {
    state_->post(false, ids);
}

void Exporter::State::post(bool is_added, std::span<const std::uint32_t> ids) {
    if (series_events == nullptr || ids.empty()) return;
    SeriesNewsItem item{.is_added = is_added, .ids = {ids.begin(), ids.end()}, .after = {}};
    const std::lock_guard<std::mutex> lock(settling);
    for (std::size_t core = 0; core < queues.size() && !is_added; ++core) {
        item.after.push_back(popped[core] + queues[core]->queue.size());
    }
    if (window_feed != nullptr && !is_added) item.after.push_back(window_feed->pushed());
    news.post(std::move(item));
}

ExporterAccounts Exporter::accounts() const {
    ExporterAccounts result{.name = state_->config.name};
    QueueAccounts& sums = result.samples;
    QueueAccounts& windows = result.windows;
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
    if (state_->window_feed != nullptr) windows = state_->window_feed->accounts();
    if (state_->is_given_up) windows.abandoned += std::exchange(windows.queued, 0);
    const PluginCounters& own = state_->counters;
    for (std::uint32_t index = 0; index < own.count(); ++index) {
        result.counters.emplace_back(own.name(index), own.value(index));
    }
    return result;
}

}  // namespace latmon
