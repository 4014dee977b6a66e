// SPDX-License-Identifier: Apache-2.0
//
// See daemon.hpp.
#include "daemon/daemon.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "daemon/accounts.hpp"
#include "daemon/key_file.hpp"
#include "daemon/random.hpp"
#include "daemon/series.hpp"
#include "daemon/stamp_proof.hpp"
#include "daemon/thread_setup.hpp"
#include "exporter/library.hpp"
#include "probe/ancestor_template.hpp"
#include "probe/descriptor_sender.hpp"
#include "reactor/hardware_stamps.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

namespace latmon {
namespace {

// From the barrier to slot 0: every core is at its loop by then.
constexpr Duration start_delay = Duration::from_ms(20);

// How long after the longest timeout everything must be over. Half of it is for the exporters.
constexpr Duration stop_grace = Duration::from_ms(900);

// An exporter that is through needs this long to be seen: its thread may be in its longest pause.
constexpr Duration exporter_wait_min = Duration::from_ms(20);

// The kernel's own bound grows by 500 us a second: an older one says nothing.
constexpr Duration survey_interval = Duration::from_s(1);

// By then the first probes have left, and most of them been answered.
constexpr Duration stamps_after = Duration::from_ms(1'500);

constexpr Duration idle_poll = Duration::from_ms(2);

sigset_t stop_signals() noexcept {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    return signals;
}

sigset_t awaited_signals() noexcept {
    sigset_t signals = stop_signals();
    sigaddset(&signals, SIGUSR1);
    return signals;
}

ClockSurveyOptions survey_options(const ClockConfig& config) {
    ClockSurveyOptions options{.operator_error = config.error_bound, .chrony = config.chrony};
    switch (config.trust) {
        case ClockTrust::automatic:
            options.trust = ClockSurveyOptions::Trust::automatic;
            break;
        case ClockTrust::kernel:
            options.trust = ClockSurveyOptions::Trust::kernel;
            break;
        case ClockTrust::chrony:
            options.trust = ClockSurveyOptions::Trust::chrony;
            break;
        case ClockTrust::operator_:
            options.trust = ClockSurveyOptions::Trust::operator_;
            break;
        case ClockTrust::none:
            options.trust = ClockSurveyOptions::Trust::none;
            break;
    }
    return options;
}

// Secrets stay in this process: not in a core dump, and in no other process of ours.
Result<std::vector<HmacKey>> read_keys(const Plan& plan) {
    std::vector<HmacKey> keys;
    for (const std::string& path : plan.key_files) {
        Result<std::vector<std::byte>> secret = read_key_file(path);
        if (!secret) return std::unexpected(secret.error());
        keys.emplace_back(*secret);
        ::explicit_bzero(secret->data(), secret->size());
    }
    if (!keys.empty()) ::prctl(PR_SET_DUMPABLE, 0);
    return keys;
}

bool wants_ptp(const Plan& plan) {
    if (plan.reflector.timestamp_format == TimestampFormat::ptp) return true;
    return std::any_of(plan.targets.begin(), plan.targets.end(), [](const auto& target) {
        return target.timestamp_format == TimestampFormat::ptp;
    });
}

// The ancestor's file must run even where its backend's plugin is not installed: its samples then
// go to stdout, and the log says so. An [[exporters]] table, by contrast, must have its plugin.
ExporterConfig with_fallback(const ExporterConfig& config, const DaemonOptions& options) {
    if (!config.is_compatible) return config;
    for (const std::string& directory : plugin_directories(options.plugin_path)) {
        if (std::filesystem::exists(directory + "/" + config.plugin + ".so")) return config;
    }
    log::error("[metrics] backend = \"" + config.plugin + "\" needs " + config.plugin +
               ".so, which is in no plugin directory: samples go to stdout (cli) instead");
    ExporterConfig fallback = config;
    fallback.plugin = "cli";
    fallback.options.clear();
    return fallback;
}

std::optional<Objective> objective_of(const ProbePlan& probe) {
    if (!probe.objective) return std::nullopt;
    return Objective{.ratio = probe.objective->ratio, .rtt = probe.objective->rtt};
}

}  // namespace

void block_signals() noexcept {
    const sigset_t signals = awaited_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

Daemon::Daemon(Plan plan, const DaemonOptions& options)
    : plan_(std::move(plan)),
      clock_(options.clock_seam),
      clock_survey_(survey_options(plan_.clock)),
      peers_(plan_.cores.size()),
      resolver_(plan_) {
    for (const CorePlan& core : plan_.cores)
        core_cpus_.push_back(core.cpu);
    const sigset_t signals = awaited_signals();
    signal_fd_ = Fd(::signalfd(-1, &signals, SFD_CLOEXEC));
}

Daemon::~Daemon() {
    for (const std::unique_ptr<CoreThread>& core : cores_)
        core->quit();
}

Result<std::unique_ptr<Daemon>> Daemon::open(Plan plan, const DaemonOptions& options) {
    std::unique_ptr<Daemon> daemon(new Daemon(std::move(plan), options));
    if (Result<void> limit = raise_file_limit(daemon->plan_.fds_needed); !limit) {
        return std::unexpected(limit.error());
    }
    if (Result<void> interfaces = daemon->find_interfaces(); !interfaces) {
        return std::unexpected(interfaces.error());
    }
    // Before the first plugin: threads that a plugin starts, or its libraries, stay where we are.
    keep_off(daemon->core_cpus_);
    if (Result<void> exporters = daemon->open_exporters(options); !exporters) {
        return std::unexpected(exporters.error());
    }
    daemon->open_stats();
    if (Result<void> cores = daemon->open_cores(options); !cores) {
        return std::unexpected(cores.error());
    }
    return daemon;
}

// Which interface each probe leaves through, as far as addresses are known; and, if the operator
// asks for the cards' stamps, switches these on.
Result<void> Daemon::find_interfaces() {
    for (const CorePlan& core : plan_.cores) {
        std::vector<std::uint32_t>& of_probe = interface_of_probe_.emplace_back();
        for (const std::string& name : interfaces_towards(core.probes)) {
            const auto found = std::find(interfaces_.begin(), interfaces_.end(), name);
            of_probe.push_back(static_cast<std::uint32_t>(found - interfaces_.begin()));
            if (found == interfaces_.end() && !name.empty()) interfaces_.push_back(name);
        }
    }
    if (plan_.stamps != StampPolicy::hardware) return {};
    for (const std::string& interface : interfaces_) {
        Result<void> enabled = enable_hardware_stamps(interface);
        if (!enabled) return enabled;
    }
    return {};
}

StampVerdict Daemon::verdict_on(std::uint32_t interface) const {
    StampVerdict verdict;
    std::uint64_t sent = 0, answered = 0, stamped_tx = 0, stamped_rx = 0;
    for (std::size_t core = 0; core < cores_.size(); ++core) {
        for (std::size_t probe = 0; probe < interface_of_probe_[core].size(); ++probe) {
            const ProbeKind kind = plan_.cores[core].probes[probe].kind;
            if (kind == ProbeKind::tcp_connect) continue;
            if (interface_of_probe_[core][probe] != interface) continue;
            const ProbeCounters& counters = cores_[core]->core().counters(probe);
            verdict.target = *plan_.cores[core].probes[probe].address;
            sent += counters.sent.read();
            answered += counters.answered.read();
            stamped_tx += counters.stamped_tx.read();
            stamped_rx += counters.stamped_rx.read();
        }
    }
    const auto judge = [](std::uint64_t stamped, std::uint64_t packets) -> StampProof {
        if (stamped > 0) return StampProof::proved;
        return packets > 0 ? StampProof::not_seen : StampProof::no_packet;
    };
    verdict.interface = interfaces_[interface];
    verdict.tx = judge(stamped_tx, sent);
    verdict.rx = judge(stamped_rx, answered);
    ask_hardware(verdict);
    return verdict;
}

// A successful setsockopt proves nothing: the first probes through each interface do.
void Daemon::report_stamps() {
    has_reported_stamps_ = true;
    if (plan_.stamps == StampPolicy::user) return;
    for (std::uint32_t interface = 0; interface < interfaces_.size(); ++interface) {
        log::info("stamps: " + describe(verdict_on(interface)));
    }
}

Result<void> Daemon::open_exporters(const DaemonOptions& options) {
    series_ = make_series(plan_, interfaces_);
    const auto core_count = static_cast<std::uint32_t>(plan_.cores.size());
    std::vector<std::string> names;
    for (const ExporterConfig& config : plan_.exporters)
        names.push_back(config.name);
    late_series_ = std::make_unique<LateSeries>(
        static_cast<std::uint32_t>(series_.size()), plan_.name,
        LateSeries::Blocks{.exporters = names, .cores = plan_.cores.size()});
    for (const ExporterConfig& config : plan_.exporters) {
        Result<std::unique_ptr<Exporter>> exporter =
            Exporter::open(with_fallback(config, options), options.config_file, options.plugin_path,
                           {series_, late_series_.get()}, core_count);
        if (!exporter) return std::unexpected(exporter.error());
        exporters_.push_back(std::move(*exporter));
    }
    return {};
}

// The aggregator runs if somebody takes what it makes.
void Daemon::open_stats() {
    AggregatorOptions options{.lengths = 0, .leaves_out_tainted = plan_.stats.leaves_out_tainted};
    for (const std::unique_ptr<Exporter>& exporter : exporters_) {
        if (exporter->windows() != nullptr) options.lengths |= exporter->windows()->lengths();
    }
    if (options.lengths == 0) return;
    stats_ = std::make_unique<StatsThread>(clock_, static_cast<std::uint32_t>(plan_.cores.size()),
                                           limits::queue_samples_default, options);
    for (const std::unique_ptr<Exporter>& exporter : exporters_) {
        if (exporter->windows() != nullptr) stats_->add_output(*exporter->windows());
    }
    for (const CorePlan& core : plan_.cores) {
        for (const ProbePlan& probe : core.probes) {
            stats_->define(probe.probe_index, series_[probe.probe_index].kind, objective_of(probe));
        }
    }
}

Result<CoreOptions> Daemon::core_options(const DaemonOptions& options) {
    Result<std::vector<HmacKey>> keys = read_keys(plan_);
    if (!keys) return std::unexpected(keys.error());
    local_clock_ = clock_survey_.look(clock_);
    next_survey_ = clock_.now() + survey_interval;
    if (wants_ptp(plan_) && !local_clock_.has_tai_offset) {
        return fail(
            ExitCode::configuration,
            "timestamp_format = \"ptp\" needs TAI, but this kernel does not know the offset "
            "to it (adjtimex tai is 0): let chronyd or ptp4l set it, or use \"ntp\"");
    }
    return CoreOptions{.local_clock = local_clock_,
                       .keys = std::move(*keys),
                       .uses_kernel_stamps = plan_.stamps != StampPolicy::user,
                       .uses_hardware_stamps = plan_.stamps == StampPolicy::hardware,
                       .probe_receive_buffer_bytes = options.probe_receive_buffer_bytes,
                       .boot_nonce = random_value<std::uint64_t>(),
                       .hash_key = random_value<HashKey>(),
                       .interfaces = interfaces_};
}

Result<void> Daemon::open_cores(const DaemonOptions& daemon_options) {
    Result<std::vector<ListenerPlan>> listeners = available_listeners(plan_);
    if (!listeners) return std::unexpected(listeners.error());
    listeners_ = std::move(*listeners);
    Result<CoreOptions> common = core_options(daemon_options);
    if (!common) return std::unexpected(common.error());
    CoreOptions options = std::move(*common);
    for (std::uint32_t index = 0; index < plan_.cores.size(); ++index) {
        options.core_index = index;
        options.interface_of_probe = interface_of_probe_[index];
        options.peers = &peers_.queue(index);
        options.peer_series = &late_series_->peers(index);
        if (index == 0) {
            options.plugin_counters = late_series_->all_counters();
        } else {
            options.plugin_counters.clear();
        }
        options.queues.clear();
        for (const std::unique_ptr<Exporter>& exporter : exporters_) {
            options.queues.push_back(&exporter->queue(index));
        }
        options.stats_queue = stats_ == nullptr ? nullptr : &stats_->queue(index);
        auto core = std::make_unique<CoreThread>(plan_, listeners_, clock_, options);
        if (Result<void> launched = core->launch(); !launched) return launched;
        cores_.push_back(std::move(core));
    }
    return {};
}

void Daemon::start() {
    for (const std::string& warning : descriptor_warnings(plan_))
        log::warning(warning);
    for (const std::string& warning : ancestor_warnings(plan_))
        log::warning(warning);
    for (const std::unique_ptr<Exporter>& exporter : exporters_)
        exporter->start(core_cpus_);
    if (stats_ != nullptr) stats_->start(core_cpus_);
    const Instant origin = clock_.now() + start_delay;
    for (const std::unique_ptr<CoreThread>& core : cores_)
        core->release(origin);
    resolver_.start();
    report_stamps_at_ = origin + stamps_after;
    log::info("started: " + std::to_string(plan_.probe_count) + " probes on " +
              std::to_string(cores_.size()) + " cores, " + std::to_string(listeners_.size()) +
              " listeners");
}

void Daemon::run_until_signal() {
    for (;;) {
        std::array<pollfd, 2> ready{pollfd{signal_fd_.get(), POLLIN, 0},
                                    pollfd{resolver_.ready_fd(), POLLIN, 0}};
        const std::int64_t patience_ms =
            std::max<std::int64_t>((next_survey_ - clock_.now()).ns / 1'000'000 + 1, 0);
        if (::poll(ready.data(), ready.size(), static_cast<int>(patience_ms)) < 0) continue;
        if (clock_.now() >= next_survey_) {
            survey_clock();
            peers_.log_new();
        }
        if (!has_reported_stamps_ && clock_.now() >= report_stamps_at_) report_stamps();
        if (ready[1].revents != 0) pass_on_addresses();
        if (ready[0].revents == 0) continue;
        signalfd_siginfo signal{};
        [[maybe_unused]] const ssize_t octets = ::read(signal_fd_.get(), &signal, sizeof(signal));
        if (signal.ssi_signo == SIGUSR1) {
            reopen_files();
            continue;
        }
        log::info("signal " + std::to_string(signal.ssi_signo) + ": stopping");
        return;
    }
}

// The operator has moved the files that we write, as logrotate(8) does.
void Daemon::reopen_files() {
    if (!log::reopen()) log::error("log_file cannot be opened anew: the old one is written on");
    log::info("signal " + std::to_string(SIGUSR1) + ": opening files anew");
    for (const std::unique_ptr<Exporter>& exporter : exporters_)
        exporter->ask_to_reopen();
}

void Daemon::pass_on_addresses() {
    for (const ResolvedTarget& target : resolver_.take_changes()) {
        broadcast({.kind = CoreCommand::Kind::set_address,
                   .index = target.target_index,
                   .address = target.address.address,
                   .scope_id = target.address.scope_id});
    }
}

// Renews what the core-threads may claim about our wall clock.
void Daemon::survey_clock() {
    next_survey_ = clock_.now() + survey_interval;
    const bool was_synchronized = local_clock_.is_synchronized;
    local_clock_ = clock_survey_.look(clock_);
    if (was_synchronized != local_clock_.is_synchronized) {
        log::info(local_clock_.is_synchronized ? "the wall clock follows UTC again"
                                               : "the wall clock is not known to follow UTC");
    }
    broadcast({.kind = CoreCommand::Kind::set_clock, .clock = local_clock_});
}

void Daemon::broadcast(const CoreCommand& command) {
    for (const std::unique_ptr<CoreThread>& core : cores_) {
        while (!core->send(command))
            std::this_thread::yield();
    }
}

// -- Stopping -----------------------------------------------------------------------------------

void Daemon::stop() {
    // From now on a second signal finds its default action: the process ends at once. SIGUSR1 stays
    // blocked: it must not end anything.
    signal_fd_.reset();
    const sigset_t signals = stop_signals();
    ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);

    broadcast({.kind = CoreCommand::Kind::stop_sending});
    wait_until_idle();
    for (const std::unique_ptr<CoreThread>& core : cores_)
        core->quit();
    peers_.log_new();
    if (stats_ != nullptr) stats_->drain_and_stop();
    // Beyond this point no new sample is made; every sample already made is exported.
    drain_exporters();
    log_accounts();
}

void Daemon::wait_until_idle() {
    Duration timeout_max;
    for (const CorePlan& core : plan_.cores) {
        for (const ProbePlan& probe : core.probes) {
            timeout_max = std::max(timeout_max, probe.timeout);
        }
    }
    const Instant give_up = clock_.now() + timeout_max + stop_grace / 4;
    const auto is_idle = [](const auto& core) { return core->is_idle(); };
    while (!std::all_of(cores_.begin(), cores_.end(), is_idle) && clock_.now() < give_up) {
        std::this_thread::sleep_for(std::chrono::nanoseconds(idle_poll.ns));
    }
}

void Daemon::drain_exporters() {
    const Instant give_up = clock_.now() + stop_grace / 2;
    for (const std::unique_ptr<Exporter>& exporter : exporters_) {
        exporter->begin_drain(stop_grace / 2);
    }
    for (const std::unique_ptr<Exporter>& exporter : exporters_) {
        const Duration left = std::max(give_up - clock_.now(), exporter_wait_min);
        if (exporter->drain_and_stop(left)) continue;
        log::warning("exporter " + exporter->name() +
                     " does not return from its plugin; it is left behind");
        has_stuck_exporter_ = true;
    }
}

void Daemon::log_accounts() {
    for (const std::unique_ptr<CoreThread>& core : cores_) {
        log_probe_accounts(plan_, core->index(), core->core());
    }
    log_reflector_accounts(cores_);
    for (const std::unique_ptr<Exporter>& exporter : exporters_) {
        log_exporter_accounts(exporter->accounts());
    }
    if (!has_stuck_exporter_) return;
    // A thread stuck in a plugin cannot be joined, and must not see its exporter destroyed. The
    // others get their destroy(), in which they may write their last word.
    for (std::unique_ptr<Exporter>& exporter : exporters_) {
        if (exporter->drain_and_stop({})) {
            exporter.reset();
        } else {
            [[maybe_unused]] const Exporter* const left_behind = exporter.release();
        }
    }
    std::_Exit(static_cast<int>(ExitCode::ok));
}

}  // namespace latmon
