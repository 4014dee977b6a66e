// SPDX-License-Identifier: Apache-2.0
//
// See daemon.hpp.
#include "daemon/daemon.hpp"

#include "base/assert.hpp"
#include "base/background_thread.hpp"
#include "base/log.hpp"
#include "daemon/accounts.hpp"
#include "daemon/give_back_memory.hpp"
#include "daemon/random.hpp"
#include "daemon/series.hpp"
#include "daemon/stamp_proof.hpp"
#include "daemon/thread_setup.hpp"
#include "probe/ancestor_template.hpp"
#include "probe/descriptor_sender.hpp"
#include "reactor/hardware_stamps.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <algorithm>
#include <csignal>
#include <cstdlib>
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

// How often to look at what is on its way out.
constexpr Duration change_poll = Duration::from_ms(10);

// Targets that there is room for beside twice the plan's.
constexpr std::uint64_t spare_targets = 1'024;

sigset_t stop_signals() noexcept {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

sigset_t awaited_signals() noexcept {
    sigset_t signals = stop_signals();
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGHUP);
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

bool wants_ptp(const Plan& plan) {
    if (plan.reflector.timestamp_format == TimestampFormat::ptp) return true;
    return std::any_of(plan.targets.begin(), plan.targets.end(), [](const auto& target) {
        return target.timestamp_format == TimestampFormat::ptp;
    });
}

}  // namespace

void block_signals() noexcept {
    const sigset_t signals = awaited_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

Daemon::Daemon(Plan plan, const DaemonOptions& options)
    : plan_(std::move(plan)),
      config_(options.config),
      read_(options.read),
      clock_(options.clock_seam),
      clock_survey_(survey_options(plan_.clock)),
      registry_(plan_.name),
      figures_(clock_.wall_now()),
      stats_(clock_, {.leaves_out_tainted = plan_.stats.leaves_out_tainted}),
      peers_(plan_.cores.size()),
      exporters_(registry_, cores_),
      fleet_(cores_, exporters_, registry_) {
    for (const CorePlan& core : plan_.cores)
        core_cpus_.push_back(core.cpu);
    const sigset_t signals = awaited_signals();
    signal_fd_ = Fd(::signalfd(-1, &signals, SFD_CLOEXEC));
}

Daemon::~Daemon() {
    for (const std::unique_ptr<CoreThread>& core : cores_)
        core->quit();
}

ExporterSet::Setting Daemon::setting_of(const Config& config,
                                        std::vector<std::uint32_t> core_cpus) {
    return {.config_file = config.file,
            .plugin_path = config.plugin_path,
            .core_cpus = std::move(core_cpus)};
}

Result<std::unique_ptr<Daemon>> Daemon::open(Plan plan, const DaemonOptions& options) {
    std::unique_ptr<Daemon> daemon(new Daemon(std::move(plan), options));
    const std::uint64_t fds =
        daemon->plan_.fds_needed + DaemonAdmin::fds_needed(options.config.admin);
    if (Result<void> limit = raise_file_limit(fds); !limit) return std::unexpected(limit.error());
    if (Result<void> interfaces = daemon->find_interfaces(); !interfaces) {
        return std::unexpected(interfaces.error());
    }
    // Before the first plugin: threads that a plugin starts, or its libraries, stay where we are.
    keep_off_cores(daemon->core_cpus_);
    Result<CoreOptions> common = daemon->core_options(options);
    if (!common) return std::unexpected(common.error());
    Result<std::unique_ptr<DaemonAdmin>> admin =
        DaemonAdmin::open(options.config.admin, daemon->plan_.name);
    if (!admin) return std::unexpected(admin.error());
    daemon->admin_ = std::move(*admin);
    daemon->exporters_.set_routes(daemon->admin_->routes());
    if (Result<void> exporters = daemon->exporters_.open(
            daemon->plan_.exporters, setting_of(options.config, daemon->core_cpus_),
            static_cast<std::uint32_t>(daemon->plan_.cores.size()));
        !exporters) {
        return std::unexpected(exporters.error());
    }
    daemon->open_stats();
    if (Result<void> cores = daemon->open_cores(std::move(*common)); !cores) {
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
    for (const FleetProbe& probe : fleet_.running()) {
        const ProbeHolder& holder = *probe.holder;
        if (holder.plan.kind == ProbeKind::tcp_connect || holder.interface != interface) continue;
        if (holder.plan.address) verdict.target = *holder.plan.address;
        sent += holder.counters.sent.read();
        answered += holder.counters.answered.read();
        stamped_tx += holder.counters.stamped_tx.read();
        stamped_rx += holder.counters.stamped_rx.read();
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

Result<void> Daemon::check_tai() {
    if (!wants_ptp(plan_) || local_clock_.has_tai_offset) return {};
    return fail(ExitCode::configuration,
                "timestamp_format = \"ptp\" needs TAI, but this kernel does not know the offset "
                "to it (adjtimex tai is 0): let chronyd or ptp4l set it, or use \"ntp\"");
}

// Series of targets, then of peers, then the node's: all are there before the first exporter looks.
Result<CoreOptions> Daemon::core_options(const DaemonOptions& options) {
    local_clock_ = clock_survey_.look(clock_);
    next_survey_ = clock_.now() + survey_interval;
    if (Result<void> tai = check_tai(); !tai) return std::unexpected(tai.error());
    const HashKey hash_key = random_value<HashKey>();
    Result<std::vector<HmacKey>> keys =
        fleet_.set_up(plan_, {.has_clock_series = plan_.clock.has_series,
                              .stamps = plan_.stamps,
                              .listeners = plan_.listeners.size(),
                              .hash_key = hash_key});
    if (!keys) return std::unexpected(keys.error());
    // Secrets stay in this process: not in a core dump, and in no other process of ours.
    if (!keys->empty()) ::prctl(PR_SET_DUMPABLE, 0);
    for (std::size_t core = 0; core < plan_.cores.size(); ++core) {
        peer_series_.push_back(&registry_.add_peers(limits::peer_series_per_core));
    }
    CoreSeries series = add_core_series(registry_);
    for (const std::string& interface : interfaces_) {
        if (series.interfaces.size() == limits::interfaces_max) break;
        series.interfaces.push_back(add_interface_series(registry_, interface));
    }
    return CoreOptions{.series = std::move(series),
                       .local_clock = local_clock_,
                       .keys = std::move(*keys),
                       .uses_kernel_stamps = plan_.stamps != StampPolicy::user,
                       .uses_hardware_stamps = plan_.stamps == StampPolicy::hardware,
                       .probe_receive_buffer_bytes = options.probe_receive_buffer_bytes,
                       .boot_nonce = random_value<std::uint64_t>(),
                       .hash_key = hash_key,
                       .interfaces = interfaces_};
}

// For targets that come later: as many again, and some, as far as descriptors may be had.
void Daemon::leave_room(CoreOptions& options) const {
    const std::vector<ProbePlan>& probes = plan_.cores[options.core_index].probes;
    std::uint64_t sockets = 0;
    for (const ProbePlan& probe : probes)
        sockets += sockets_of(probe);
    const std::uint64_t wanted = sockets + spare_targets;
    const std::uint64_t limit =
        raise_file_limit_towards(plan_.fds_needed + wanted * plan_.cores.size());
    // A ring has places for accepted connections, whether anybody listens for any or not.
    const std::uint64_t needed =
        plan_.fds_needed + limits::tcp_sessions_per_core * plan_.cores.size();
    const std::uint64_t share = (std::max(limit, needed) - needed) / plan_.cores.size();
    options.spare_sockets = static_cast<std::uint32_t>(std::min(wanted, share));
    options.spare_probes = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(probes.size() + spare_targets, limits::targets_per_core_max));
}

Result<void> Daemon::open_cores(CoreOptions options) {
    Result<std::vector<ListenerPlan>> listeners = available_listeners(plan_);
    if (!listeners) return std::unexpected(listeners.error());
    listeners_ = std::move(*listeners);
    const std::vector<NodeFigure> figures = node_figures();
    for (std::uint32_t index = 0; index < plan_.cores.size(); ++index) {
        options.core_index = index;
        options.interface_of_probe = interface_of_probe_[index];
        options.peers = &peers_.queue(index);
        options.peer_series = peer_series_[index];
        options.consumers = exporters_.consumers(index);
        options.stats_queue = stats_.queue(index);
        options.figures = index == 0 ? figures : std::vector<NodeFigure>{};
        leave_room(options);
        cores_.push_back(std::make_unique<CoreThread>(plan_, listeners_, clock_, options));
        if (Result<void> launched = cores_.back()->launch(); !launched) {
            cores_.pop_back();
            return launched;
        }
    }
    fleet_.adopt(std::move(plan_.targets), interfaces_);
    return {};
}

void Daemon::start() {
    for (const std::string& warning : descriptor_warnings(plan_))
        log::warning(warning);
    for (const std::string& warning : ancestor_warnings(plan_))
        log::warning(warning);
    forget_plan();
    exporters_.start();
    if (stats_.has_queues()) stats_.start(core_cpus_);
    const Instant origin = clock_.now() + start_delay;
    for (const std::unique_ptr<CoreThread>& core : cores_)
        core->release(origin);
    fleet_.start_resolver(plan_.resolve_interval);
    show_targets();
    connect_admin();
    admin_->start(core_cpus_);
    target_watch_.set(config_.target_patterns);
    report_stamps_at_ = origin + stamps_after;
    log::info("started: " + std::to_string(plan_.probe_count) + " probes on " +
              std::to_string(cores_.size()) + " cores, " + std::to_string(listeners_.size()) +
              " listeners");
}

// Probes and targets are the cores' and the fleet's by now: these are not those that run for long.
// Before the core-threads begin, who would wait while memory is given back.
void Daemon::forget_plan() {
    for (CorePlan& core : plan_.cores)
        core.probes = std::vector<ProbePlan>();  // `{}` would keep the memory.
    interface_of_probe_.clear();
    give_back_memory();
}

// Until there is something to look at, whatever happens.
Duration Daemon::patience() const {
    const Instant now = clock_.now();
    Duration patience = next_survey_ - now;
    if (has_changes_) patience = std::min(patience, change_poll);
    if (target_watch_.due()) patience = std::min(patience, *target_watch_.due() - now);
    return std::max(patience, Duration{});
}

void Daemon::run_until_signal() {
    for (;;) {
        std::array<pollfd, 5> ready{
            pollfd{signal_fd_.get(), POLLIN, 0}, pollfd{fleet_.resolver().ready_fd(), POLLIN, 0},
            pollfd{requests_.ready_fd(), POLLIN, 0}, pollfd{target_watch_.ready_fd(), POLLIN, 0},
            pollfd{view_requests_.ready_fd(), POLLIN, 0}};
        const auto patience_ms = static_cast<int>((patience().ns + 999'999) / 1'000'000);
        if (::poll(ready.data(), ready.size(), patience_ms) < 0) continue;
        if (clock_.now() >= next_survey_) {
            survey_clock();
            peers_.log_new();
        }
        if (!has_reported_stamps_ && clock_.now() >= report_stamps_at_) report_stamps();
        if (ready[1].revents != 0) pass_on_addresses();
        if (has_changes_) advance_changes();
        if (ready[2].revents != 0) answer_requests();
        if (ready[4].revents != 0) answer_view_requests();
        if (ready[3].revents != 0) target_watch_.take(clock_.now());
        look_at_target_files();
        if (ready[0].revents != 0 && take_signal()) return;
    }
}

// True if it is one to stop at.
bool Daemon::take_signal() {
    signalfd_siginfo signal{};
    [[maybe_unused]] const ssize_t octets = ::read(signal_fd_.get(), &signal, sizeof(signal));
    switch (signal.ssi_signo) {
        case SIGUSR1:
            reopen_files();
            return false;
        case SIGHUP:
            static_cast<void>(reload());
            return false;
        default:
            log::info("signal " + std::to_string(signal.ssi_signo) + ": stopping");
            return true;
    }
}

// The operator has moved the files that we write, as logrotate(8) does.
void Daemon::reopen_files() {
    if (!log::reopen()) log::error("log_file cannot be opened anew: the old one is written on");
    log::info("signal " + std::to_string(SIGUSR1) + ": opening files anew");
    exporters_.ask_to_reopen();
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
    admin_->set_ready(false);  // First: who is refused by what follows is told why by it.
    const Error is_stopping{.code = ExitCode::failure, .text = "latmon is stopping"};
    requests_.close(is_stopping);
    view_requests_.close(is_stopping);
    const sigset_t signals = stop_signals();
    ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);

    broadcast({.kind = CoreCommand::Kind::stop_sending});
    wait_until_idle();
    for (const std::unique_ptr<CoreThread>& core : cores_)
        core->quit();
    peers_.log_new();
    stats_.drain_and_stop();
    // Beyond this point no new sample is made; every sample already made is exported.
    has_stuck_exporter_ = !exporters_.drain(stop_grace / 2, exporter_wait_min);
    if (!admin_->stop(stop_grace / 4)) {
        log::warning("admin: an answer that is being made does not end; it is left behind");
        has_stuck_exporter_ = true;
    }
    log_accounts();
}

void Daemon::wait_until_idle() {
    const Instant give_up = clock_.now() + fleet_.timeout_max() + stop_grace / 4;
    const auto is_idle = [](const auto& core) { return core->is_idle(); };
    while (!std::all_of(cores_.begin(), cores_.end(), is_idle) && clock_.now() < give_up) {
        std::this_thread::sleep_for(std::chrono::nanoseconds(idle_poll.ns));
    }
}

void Daemon::log_accounts() {
    for (const std::unique_ptr<CoreThread>& core : cores_)
        log_probe_accounts(fleet_, core->index(), core->core());
    log_reflector_accounts(cores_);
    exporters_.log_accounts();
    if (!has_stuck_exporter_) return;
    exporters_.abandon_stuck();
    std::_Exit(static_cast<int>(ExitCode::ok));
}

}  // namespace latmon
