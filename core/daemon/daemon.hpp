// SPDX-License-Identifier: Apache-2.0
//
// Owns everything that runs, and the order in which it starts and stops: consumers first, producers
// last; then producers first, consumers last, so that a sample made is a sample exported or counted
// (invariant 8). [main-thread]
#pragma once

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/time.hpp"
#include "clock/clock_survey.hpp"
#include "config/plan.hpp"
#include "daemon/core_thread.hpp"
#include "daemon/peers.hpp"
#include "daemon/resolver.hpp"
#include "daemon/stamp_verdict.hpp"
#include "daemon/stats_thread.hpp"
#include "exporter/exporter.hpp"

#include <memory>
#include <string>
#include <vector>

namespace latmon {

// What the daemon needs of the configuration beside the plan.
struct DaemonOptions {
    std::string config_file;  // For messages.
    std::vector<std::string> plugin_path;
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

    // Passes on what the resolver finds, until SIGTERM, SIGINT or SIGHUP, and opens files anew at
    // SIGUSR1. These must be blocked.
    void run_until_signal();

    // Stops sending, waits for what is in flight up to the longest timeout, ends the core-threads,
    // drains the exporters, and logs the accounts. A second signal ends the process at once.
    void stop();

private:
    explicit Daemon(Plan plan, const DaemonOptions& options);
    [[nodiscard]] Result<void> find_interfaces();
    void report_stamps();
    [[nodiscard]] StampVerdict verdict_on(std::uint32_t interface) const;
    [[nodiscard]] Result<void> open_exporters(const DaemonOptions& options);
    void open_stats();
    [[nodiscard]] Result<CoreOptions> core_options(const DaemonOptions& options);
    [[nodiscard]] Result<void> open_cores(const DaemonOptions& options);
    void survey_clock();
    void pass_on_addresses();
    void reopen_files();
    void broadcast(const CoreCommand& command);
    void wait_until_idle();
    void drain_exporters();
    void log_accounts();

    const Plan plan_;
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
    SeriesTable series_;
    std::unique_ptr<LateSeries> late_series_;  // Outlives exporters and cores.
    std::vector<std::unique_ptr<Exporter>> exporters_;
    std::unique_ptr<StatsThread> stats_;  // Null: nobody takes windows. Outlives the cores.
    Peers peers_;                         // Likewise.
    std::vector<std::unique_ptr<CoreThread>> cores_;
    Resolver resolver_;
    Fd signal_fd_;
    bool has_stuck_exporter_ = false;
};

// Blocks the signals that the daemon waits for, in this thread and those it starts, and ignores
// SIGPIPE: a reader of our output that goes away is an error of one write, not our end.
void block_signals() noexcept;

}  // namespace latmon
