// SPDX-License-Identifier: Apache-2.0
//
// See daemon.hpp.
#include "daemon/daemon.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "clock/kernel_clock.hpp"
#include "daemon/accounts.hpp"
#include "daemon/series.hpp"
#include "daemon/thread_setup.hpp"
#include "exporter/library.hpp"
#include "wire/timestamp.hpp"

#include <poll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <algorithm>
#include <csignal>
#include <cstdlib>
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

constexpr Duration idle_poll = Duration::from_ms(2);

template <typename Value>
Value random_value() {
    Value value{};
    const ssize_t octets = ::getrandom(&value, sizeof(value), 0);
    LATMON_ASSERT(octets == sizeof(value));  // Small requests are never cut, getrandom(2).
    return value;
}

sigset_t stop_signals() noexcept {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    return signals;
}

std::uint16_t own_error_estimate() noexcept {
    // S stays 0: the kernel's own word is not proof that the clock is right.
    return encode_error_estimate(
        {.is_synchronized = false, .is_ptp = false, .error = read_kernel_clock().error_max});
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

}  // namespace

void block_signals() noexcept {
    const sigset_t signals = stop_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

Daemon::Daemon(Plan plan, const DaemonOptions& options)
    : plan_(std::move(plan)), clock_(options.clock_seam), resolver_(plan_) {
    for (const CorePlan& core : plan_.cores)
        core_cpus_.push_back(core.cpu);
    const sigset_t signals = stop_signals();
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
    if (Result<void> exporters = daemon->open_exporters(options); !exporters) {
        return std::unexpected(exporters.error());
    }
    if (Result<void> cores = daemon->open_cores(); !cores) return std::unexpected(cores.error());
    return daemon;
}

Result<void> Daemon::open_exporters(const DaemonOptions& options) {
    series_ = make_series(plan_);
    const auto core_count = static_cast<std::uint32_t>(plan_.cores.size());
    for (const ExporterConfig& config : plan_.exporters) {
        Result<std::unique_ptr<Exporter>> exporter =
            Exporter::open(with_fallback(config, options), options.config_file, options.plugin_path,
                           series_, core_count);
        if (!exporter) return std::unexpected(exporter.error());
        exporters_.push_back(std::move(*exporter));
    }
    return {};
}

Result<void> Daemon::open_cores() {
    Result<std::vector<ListenerPlan>> listeners = available_listeners(plan_);
    if (!listeners) return std::unexpected(listeners.error());
    listeners_ = std::move(*listeners);
    CoreOptions options{.error_estimate = own_error_estimate(),
                        .boot_nonce = random_value<std::uint64_t>(),
                        .hash_key = random_value<HashKey>()};
    for (std::uint32_t index = 0; index < plan_.cores.size(); ++index) {
        options.core_index = index;
        options.queues.clear();
        for (const std::unique_ptr<Exporter>& exporter : exporters_) {
            options.queues.push_back(&exporter->queue(index));
        }
        auto core = std::make_unique<CoreThread>(plan_, listeners_, clock_, options);
        if (Result<void> launched = core->launch(); !launched) return launched;
        cores_.push_back(std::move(core));
    }
    return {};
}

void Daemon::start() {
    keep_off(core_cpus_);
    for (const std::unique_ptr<Exporter>& exporter : exporters_)
        exporter->start(core_cpus_);
    const Instant origin = clock_.now() + start_delay;
    for (const std::unique_ptr<CoreThread>& core : cores_)
        core->release(origin);
    resolver_.start();
    log::info("started: " + std::to_string(plan_.probe_count) + " probes on " +
              std::to_string(cores_.size()) + " cores, " + std::to_string(listeners_.size()) +
              " listeners");
}

void Daemon::run_until_signal() {
    for (;;) {
        std::array<pollfd, 2> ready{pollfd{signal_fd_.get(), POLLIN, 0},
                                    pollfd{resolver_.ready_fd(), POLLIN, 0}};
        if (::poll(ready.data(), ready.size(), -1) < 0) continue;
        if (ready[1].revents != 0) pass_on_addresses();
        if (ready[0].revents == 0) continue;
        signalfd_siginfo signal{};
        [[maybe_unused]] const ssize_t octets = ::read(signal_fd_.get(), &signal, sizeof(signal));
        log::info("signal " + std::to_string(signal.ssi_signo) + ": stopping");
        return;
    }
}

void Daemon::pass_on_addresses() {
    for (const ResolvedTarget& target : resolver_.take_changes()) {
        broadcast({.kind = CoreCommand::Kind::set_address,
                   .index = target.target_index,
                   .address = target.address.address,
                   .scope_id = target.address.scope_id});
    }
}

void Daemon::broadcast(const CoreCommand& command) {
    for (const std::unique_ptr<CoreThread>& core : cores_) {
        while (!core->send(command))
            std::this_thread::yield();
    }
}

// -- Stopping -----------------------------------------------------------------------------------

void Daemon::stop() {
    // From now on a second signal finds its default action: the process ends at once.
    signal_fd_.reset();
    const sigset_t signals = stop_signals();
    ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);

    broadcast({.kind = CoreCommand::Kind::stop_sending});
    wait_until_idle();
    for (const std::unique_ptr<CoreThread>& core : cores_)
        core->quit();
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
