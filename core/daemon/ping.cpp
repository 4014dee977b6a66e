// SPDX-License-Identifier: Apache-2.0
//
// The life of a ping, top to bottom; what each step does stands where it is named.
#include "daemon/ping.hpp"

#include "base/time.hpp"
#include "daemon/commands.hpp"
#include "daemon/handshake.hpp"
#include "daemon/key_file.hpp"
#include "daemon/ping_json.hpp"
#include "daemon/ping_plan.hpp"
#include "daemon/ping_report.hpp"
#include "daemon/ping_resolve.hpp"
#include "daemon/ping_session.hpp"
#include "daemon/ping_text.hpp"
#include "daemon/ping_watch.hpp"
#include "daemon/random.hpp"
#include "daemon/stamp_proof.hpp"
#include "reactor/hardware_stamps.hpp"
#include "reactor/ring_uring.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <algorithm>
#include <memory>
#include <optional>

namespace latmon {
namespace {

constexpr std::uint32_t sockets_max = 16;
// Slot 0 comes so long after the start: everything is in its caches by then.
constexpr Duration start_delay = Duration::from_ms(5);
// Nothing else bounds a turn; what must be seen sooner wakes the ring.
constexpr Duration turn_max = Duration::from_s(1);
constexpr Duration turn_spinning = Duration::from_ms(10);

std::unexpected<Error> refuse(std::string text) {
    return fail(ExitCode::usage, std::move(text));
}

// -- Stamps -------------------------------------------------------------------------------------

Result<void> prove_kernel_stamps(const Plan& plan, const UringRing& ring) {
    const StampAbility& ability = ring.stamp_ability();
    if (ability.tx == TxStampWay::none || !ability.has_rx) {
        return refuse("--stamps kernel: this kernel stamps no packets for latmon; write auto");
    }
    for (const StampVerdict& verdict : prove_stamps(plan)) {
        const bool is_silent =
            verdict.tx == StampProof::not_seen || verdict.rx == StampProof::not_seen;
        if (is_silent) return refuse("--stamps kernel: " + describe(verdict) + "; write auto");
    }
    return {};
}

Result<void> set_stamps(const Plan& plan, const UringRing& ring, CoreOptions& core) {
    const ProbePlan& probe = plan.cores.front().probes.front();
    core.uses_kernel_stamps = plan.stamps != StampPolicy::user;
    if (plan.stamps == StampPolicy::kernel) return prove_kernel_stamps(plan, ring);
    if (plan.stamps != StampPolicy::hardware) return {};
    const std::string interface = interface_towards(probe, *probe.address);
    const Result<void> enabled = enable_hardware_stamps(interface);
    if (!enabled) return refuse("--stamps hardware: " + enabled.error().text);
    core.uses_hardware_stamps = true;
    return {};
}

// -- Set-up -------------------------------------------------------------------------------------

Result<CoreOptions> core_options(const Plan& plan, const UringRing& ring) {
    CoreOptions core{.boot_nonce = random_value<std::uint64_t>(),
                     .hash_key = random_value<HashKey>(),
                     .timers_max = 64};
    for (const std::string& path : plan.key_files) {
        const Result<std::vector<std::byte>> key = read_key_file(path);
        if (!key) return std::unexpected(key.error());
        core.keys.emplace_back(*key);
    }
    if (Result<void> stamps = set_stamps(plan, ring, core); !stamps) {
        return std::unexpected(stamps.error());
    }
    return core;
}

// Connection and prefaces take two round trips, and as much again that they are late.
Duration delay_of(const std::optional<Duration>& handshake) noexcept {
    return handshake ? start_delay + *handshake * 4 : start_delay;
}

// -- The run ------------------------------------------------------------------------------------

void run_session(PingSession& session, PingWatch& watch, const OsClock& clock, Duration patience) {
    std::uint32_t signals_seen = 0;
    while (!session.is_done()) {
        session.turn(clock.now() + patience);
        if (const std::optional<LocalClock> look = watch.take_look()) {
            session.core().apply({.kind = CoreCommand::Kind::set_clock, .clock = *look});
        }
        for (; signals_seen != watch.signals(); ++signals_seen)
            session.interrupt();
    }
}

void take_outcome(const PingSession& session, PingReport& report) {
    const ProbeCounters& counters = session.counters();
    report.tally = session.tally();
    report.sent = counters.sent.read();
    report.in_flight = counters.in_flight();
    report.missed = counters.missed.read();
    report.invalid = counters.invalid.read();
}

Result<PingReport> run(const PingOptions& options, const OsClock& clock) {
    Result<Endpoint> target = resolve_host(options.host, options.family);
    if (!target) return std::unexpected(target.error());
    target->port = options.port;
    // The CPU that the scheduler chose: a daemon that spins has another one.
    const int cpu = ::sched_getcpu();
    const Result<Plan> plan =
        make_ping_plan(options, *target, static_cast<std::uint32_t>(std::max(cpu, 0)));
    if (!plan) return std::unexpected(plan.error());
    block_stop_signals(true);

    const Result<std::unique_ptr<UringRing>> ring = UringRing::open({.sockets_max = sockets_max});
    if (!ring) return std::unexpected(ring.error());
    Result<CoreOptions> core = core_options(*plan, **ring);
    if (!core) return std::unexpected(core.error());
    PingWatch watch(**ring, clock);
    core->local_clock = watch.first_look();
    PingSession session(*plan, std::move(*core), **ring, clock);

    const ProbePlan& probe = plan->cores.front().probes.front();
    PingReport report;
    report.options = options;
    report.target = *target;
    report.size_bytes = probe.size_bytes;
    // Of a connection for this alone: the first probe waits until the session's own is there.
    if (options.is_tcp) report.handshake = time_handshake(probe, clock).duration;
    if (!options.is_json) static_cast<void>(print(ping_heading(report)));
    const bool keeps = options.is_json && !options.is_quiet;
    const bool prints = !options.is_json && !options.is_quiet;
    watch.start();
    session.start(delay_of(report.handshake), [&](const Sample& sample) {
        if (keeps) report.exchanges.push_back(sample);
        if (prints) static_cast<void>(print(exchange_line(sample)));
    });
    run_session(session, watch, clock,
                options.precision == Precision::spin ? turn_spinning : turn_max);
    take_outcome(session, report);
    report.clock = session.core().own_clock().state();
    return report;
}

}  // namespace

int ping(const PingOptions& options) {
    block_stop_signals(false);  // Nothing has been measured yet that would have to be summed up.
    const OsClock clock;
    const Result<PingReport> report = run(options, clock);
    if (!report) {
        print_error(report.error());
        return static_cast<int>(ExitCode::usage);
    }
    static_cast<void>(print(options.is_json ? ping_json(*report) : ping_summary(*report)));
    return report->exit_code();
}

}  // namespace latmon
