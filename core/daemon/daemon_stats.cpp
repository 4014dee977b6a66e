// SPDX-License-Identifier: Apache-2.0
//
// The statistics and the admin listener in the daemon; see daemon.hpp. Windows cost memory for each
// target and time for each sample, so that they are made from the start only if an exporter takes
// them; else from the first moment on at which somebody wants to see one. On the main-thread, but
// for what is said to be asked by handlers of the listener.
#include "daemon/daemon.hpp"

#include "admin/admin_counters.hpp"
#include "base/log.hpp"
#include "daemon/series.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <span>
#include <string_view>
#include <thread>

namespace latmon {
namespace {

// How long a handler waits for the main-thread, which may be loading plugins.
constexpr Duration view_patience = Duration::from_s(1);

constexpr Duration command_poll = Duration::from_ms(1);

template <std::size_t count>
void add_figures(std::vector<NodeFigure>& figures, std::uint32_t first_series,
                 const std::array<std::atomic<std::uint64_t>, count>& values) {
    for (std::uint32_t index = 0; index < count; ++index)
        figures.push_back({first_series + index, &values[index]});
}

}  // namespace

// What one core tells of the node as a whole.
std::vector<NodeFigure> Daemon::node_figures() {
    std::vector<NodeFigure> figures;
    add_figures(figures, add_figure_series(registry_, reload_series_names), figures_.values());
    add_figures(figures, add_figure_series(registry_, stats_series_names), stats_.figures());
    if (!admin_->is_listening()) return figures;
    std::array<std::string_view, admin_counter_names.size()> names;
    std::ranges::transform(admin_counter_names, names.begin(), &AdminCounterName::name);
    std::uint32_t series = add_figure_series(registry_, names);
    for (const AdminCounterName& each : admin_counter_names)
        figures.push_back({series++, &(admin_->counters().*each.counter).value()});
    return figures;
}

// -- Statistics ---------------------------------------------------------------------------------

void Daemon::open_stats() {
    exporters_.attach(stats_);
    fleet_.set_series_events(&stats_);
    if (exporters_.window_lengths() == 0) return;
    stats_.make_queues(static_cast<std::uint32_t>(plan_.cores.size()),
                       limits::queue_samples_default);
}

// While cores run: what was measured before all of them push is in no window, so that the first
// windows are held back which this would be missed in.
void Daemon::begin_stats() {
    if (stats_.has_queues()) return;
    log::info("statistics: windows are made from now on");
    stats_.make_queues(static_cast<std::uint32_t>(cores_.size()), limits::queue_samples_default);
    stats_.with([](Aggregator& aggregator) {
        aggregator.set_whole_from(WallTime{std::numeric_limits<std::int64_t>::max()});
    });
    fleet_.tell_series();
    stats_.start(core_cpus_);
    for (const std::unique_ptr<CoreThread>& core : cores_) {
        const CoreCommand command{.kind = CoreCommand::Kind::set_stats_queue,
                                  .consumer = SampleConsumer(stats_.queue(core->index()))};
        while (!core->send(command))
            std::this_thread::yield();
    }
    for (const std::unique_ptr<CoreThread>& core : cores_) {
        while (!core->has_applied(core->sent()))
            std::this_thread::sleep_for(std::chrono::nanoseconds(command_poll.ns));
    }
    const WallTime since = clock_.wall_now();
    stats_.with([since](Aggregator& aggregator) { aggregator.set_whole_from(since); });
}

void Daemon::begin_views() {
    begin_stats();
    const WallTime since = clock_.wall_now();
    stats_.with([since](Aggregator& aggregator) { aggregator.keep_views(since); });
}

void Daemon::answer_view_requests() {
    std::vector<std::promise<Result<void>>> asked = view_requests_.take();
    if (asked.empty()) return;
    begin_views();
    for (std::promise<Result<void>>& promise : asked)
        promise.set_value({});
}

// Since when there are windows to see; nothing if that cannot be said yet. The first to ask makes
// them begin. On a handler thread.
std::optional<WallTime> Daemon::ask_for_views() {
    const auto read = [this] {
        std::optional<WallTime> since;
        stats_.with([&since](const Aggregator& aggregator) { since = aggregator.views_since(); });
        return since;
    };
    const std::optional<WallTime> since = read();
    if (since) return since;
    const std::future<Result<void>> begun = view_requests_.ask();
    begun.wait_for(std::chrono::nanoseconds(view_patience.ns));
    return read();
}

// -- The admin listener -------------------------------------------------------------------------

// Tells the admin listener which probes there are: not those that leave, whose counters go with
// them. Nothing if it knows them.
void Daemon::show_targets() {
    if (!admin_->is_listening() || fleet_.generation() == shown_generation_) return;
    shown_generation_ = fleet_.generation();
    std::vector<TargetView> views;
    for (const FleetProbe& probe : fleet_.running()) {
        const ProbePlan& plan = probe.holder->plan;
        TargetStatus status = target_status(*registry_.find(plan.series_id), plan);
        const Endpoint& address = fleet_.address_of(probe);
        if (!is_unspecified(address)) status.address = to_string(address.address);
        views.push_back({.fixed = std::move(status),
                         .target_index = plan.target_index,
                         .counters = &probe.holder->counters});
    }
    log::debug("admin: shows " + std::to_string(views.size()) + " probes anew");
    admin_->targets().set(std::move(views));
}

// A name that was looked up concerns its own target, however many there are.
void Daemon::pass_on_addresses() {
    for (const ResolvedTarget& found : fleet_.pass_on_addresses())
        admin_->targets().set_address(found.target_index, found.address);
}

// What the admin listener may see, and do.
void Daemon::connect_admin() {
    admin_->set_reload([this] { return request_reload().get(); });
    admin_->targets().set_windows(
        {.series_count = [this] { return registry_.end_id(); },
         .find_series = [this](std::uint32_t id) { return registry_.find(id); },
         .find_window =
             [this](std::uint32_t id, std::uint32_t length_bit) {
                 std::optional<latmon_window_t> window;
                 stats_.with([&](Aggregator& aggregator) {
                     const std::optional<OwnedWindow> owned =
                         length_bit == 0 ? aggregator.sliding(id)
                                         : aggregator.latest(id, length_bit);
                     if (owned) window = owned->window;
                 });
                 return window;
             },
         .since = [this] { return ask_for_views(); }});
}

}  // namespace latmon
