// SPDX-License-Identifier: Apache-2.0
//
// Owns everything that runs, and the order in which it starts and stops: consumers first, producers
// last; then producers first, consumers last, so that a sample made is a sample exported or counted
// (invariant 8). In between it loads the configuration anew when it is asked to: whole, or not at
// all. [main-thread]
#pragma once

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/time.hpp"
#include "clock/clock_survey.hpp"
#include "config/plan.hpp"
#include "daemon/admin_backend.hpp"
#include "daemon/core_thread.hpp"
#include "daemon/exporter_set.hpp"
#include "daemon/fleet.hpp"
#include "daemon/main_requests.hpp"
#include "daemon/peers.hpp"
#include "daemon/reload_figures.hpp"
#include "daemon/stamp_verdict.hpp"
#include "daemon/stats_thread.hpp"
#include "daemon/target_watch.hpp"
#include "sample/series_registry.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace latmon {

// What the daemon needs of the configuration beside the plan.
struct DaemonOptions {
    // Reads the configuration anew; warnings are appended.
    using Read = std::function<Result<Config>(std::vector<std::string>& warnings)>;

    Config config;  // What the plan was made of; its targets are the plan's, and need not be here.
    Read read{};    // Empty: there is nothing to load anew.
    ClockSeam clock_seam;
    std::uint32_t probe_receive_buffer_bytes = 0;  // Tests only; 0: the kernel's choice.
};

class Daemon {
public:
    // Loads the exporters and sets up every core-thread, which then wait. Errors are one line each.
    [[nodiscard]] static Result<std::unique_ptr<Daemon>> open(Plan plan,
                                                              const DaemonOptions& options);
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    // Consumers before producers: no sample may exist before someone can take it.
    void start();

    // Passes on what the resolver finds, until SIGTERM or SIGINT; loads the configuration anew at
    // SIGHUP, when files with targets change and when somebody asks for it, and opens files anew at
    // SIGUSR1. The signals must be blocked.
    void run_until_signal();

    // Loads the configuration anew: checks all of it, makes all of it, and only then changes
    // anything. What is configured as before is not touched. An error leaves everything as it was,
    // and says why; it is logged and counted either way. [main-thread]
    Result<void> reload();

    // The same for other threads: the answer comes when it is done. [any-thread]
    [[nodiscard]] std::future<Result<void>> request_reload() { return requests_.ask(); }

    [[nodiscard]] const ReloadFigures& reload_figures() const noexcept { return figures_; }
    [[nodiscard]] const Fleet& fleet() const noexcept { return fleet_; }
    [[nodiscard]] SeriesRegistry& registry() noexcept { return registry_; }

    // Stops sending, waits for what is in flight up to the longest timeout, ends the core-threads,
    // drains the exporters, and logs the accounts. A second signal ends the process at once.
    void stop();

private:
    explicit Daemon(Plan plan, const DaemonOptions& options);
    [[nodiscard]] Result<void> find_interfaces();
    void report_stamps();
    [[nodiscard]] StampVerdict verdict_on(std::uint32_t interface) const;
    [[nodiscard]] Result<void> check_tai();
    [[nodiscard]] Result<CoreOptions> core_options(const DaemonOptions& options);
    [[nodiscard]] Result<void> open_cores(CoreOptions options);
    void leave_room(CoreOptions& options) const;
    [[nodiscard]] std::vector<NodeFigure> node_figures();
    void open_stats();
    void begin_stats();
    void begin_views();
    void show_targets();
    void connect_admin();
    [[nodiscard]] std::optional<WallTime> ask_for_views();
    void survey_clock();
    void reopen_files();
    [[nodiscard]] bool take_signal();
    void answer_requests();
    void answer_view_requests();
    void pass_on_addresses();
    void advance_changes();
    void look_at_target_files();
    [[nodiscard]] Duration patience() const;
    [[nodiscard]] Result<void> try_reload();
    [[nodiscard]] static ExporterSet::Setting setting_of(const Config& config,
                                                         std::vector<std::uint32_t> core_cpus);
    void broadcast(const CoreCommand& command);
    void wait_until_idle();
    void log_accounts();
    void forget_plan();

    Plan plan_;      // What we start with.
    Config config_;  // What runs, but for targets: these are the fleet's.
    const DaemonOptions::Read read_;
    const OsClock clock_;
    ClockSurvey clock_survey_;
    LocalClock local_clock_;
    Instant next_survey_;
    std::vector<std::uint32_t> core_cpus_;
    std::vector<ListenerPlan> listeners_;
    std::vector<std::string> interfaces_;  // That probes leave through; of targets known so far.
    std::vector<std::vector<std::uint32_t>> interface_of_probe_;  // By core, by probe.
    Instant report_stamps_at_;
    bool has_reported_stamps_ = false;
    SeriesRegistry registry_;  // Outlives exporters and cores, as do these:
    ReloadFigures figures_;
    std::vector<PeerSeries*> peer_series_;
    std::unique_ptr<DaemonAdmin> admin_;  // Exporters have pages on it.
    std::uint64_t shown_generation_ = 0;  // Of the fleet: what `admin_` was shown last.
    StatsThread stats_;
    Peers peers_;
    std::vector<std::unique_ptr<CoreThread>> cores_;
    ExporterSet exporters_;
    Fleet fleet_;
    MainRequests requests_;       // For a reload.
    MainRequests view_requests_;  // For windows to be kept.
    TargetWatch target_watch_;
    bool has_changes_ = false;  // Something is on its way out or in.
    Fd signal_fd_;
    bool has_stuck_exporter_ = false;
};

// Blocks the signals that the daemon waits for, in this thread and those it starts, and ignores
// SIGPIPE: a reader of our output that goes away is an error of one write, not our end.
void block_signals() noexcept;

}  // namespace latmon
