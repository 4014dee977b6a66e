// SPDX-License-Identifier: Apache-2.0
//
// See admin_probe.hpp. One run, top to bottom: name, permission, time, probes.
#include "daemon/admin_probe.hpp"

#include "base/limits.hpp"
#include "config/mistakes.hpp"
#include "config/words.hpp"
#include "daemon/handshake.hpp"
#include "daemon/ping_plan.hpp"
#include "daemon/ping_resolve.hpp"
#include "daemon/ping_session.hpp"
#include "daemon/ping_text.hpp"
#include "daemon/random.hpp"
#include "reactor/ring_uring.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

namespace latmon {
namespace {

constexpr std::uint32_t sockets_max = 16;
// The ring, its eventfd, the socket, a second one while a path is opened anew, and the resolver's.
constexpr std::uint64_t fds_per_run = sockets_max;
constexpr std::uint16_t stamp_port = 862;
constexpr std::uint16_t latmon_tcp_port = 8'000;
constexpr Duration start_delay = Duration::from_ms(5);
// Between two looks at whether to stop.
constexpr Duration turn_max = Duration::from_ms(100);
// Of a budget, for what is neither waiting nor probing: making a ring takes some milliseconds.
constexpr Duration overhead = Duration::from_ms(50);

PingOptions options_of(const ProbeModuleConfig& module) {
    PingOptions options;
    options.size_bytes = module.size_bytes;
    options.interval = module.interval;
    options.timeout = module.timeout;
    options.is_tcp = module.method != ProbeModuleConfig::Method::udp;
    options.dscp = module.dscp;
    options.precision = Precision::power;
    return options;
}

// 0: it must be named.
std::uint16_t port_of(const ProbeModuleConfig& module) noexcept {
    if (module.port != 0) return module.port;
    switch (module.method) {
        case ProbeModuleConfig::Method::udp:
            return stamp_port;
        case ProbeModuleConfig::Method::tcp:
            return latmon_tcp_port;
        case ProbeModuleConfig::Method::tcp_connect:
            break;
    }
    return 0;
}

ProbeOutcome refuse(std::uint32_t status, std::string text) {
    ProbeOutcome outcome;
    outcome.refusal_status = status;
    outcome.refusal = std::move(text);
    return outcome;
}

std::string seconds_text(Duration duration) {
    return fmt::format("{:.6f} s", static_cast<double>(duration.ns) / 1e9);
}

// One run, once it is known whom to probe, and how.
struct Run {
    const Plan& plan;
    std::uint32_t count;
    Instant deadline;
    const std::atomic<bool>& is_stopping;
    ProbeOutcome& outcome;
    OsClock clock;

    [[nodiscard]] const ProbePlan& probe() const { return plan.cores.front().probes.front(); }
    [[nodiscard]] bool must_end() const {
        return is_stopping.load(std::memory_order_relaxed) || clock.now() >= deadline;
    }
    void exchange();
    void connect();
};

void Run::exchange() {
    const Result<std::unique_ptr<UringRing>> ring = UringRing::open({.sockets_max = sockets_max});
    if (!ring) {
        outcome = refuse(503, "no ring can be had: " + ring.error().text);
        return;
    }
    CoreOptions core{.boot_nonce = random_value<std::uint64_t>(),
                     .hash_key = random_value<HashKey>(),
                     .timers_max = 64};
    PingSession session(plan, std::move(core), **ring, clock);
    Duration delay = start_delay;
    if (probe().kind == ProbeKind::tcp) {
        // Connection and prefaces take two round trips, and as much again that they are late.
        const Handshake handshake = time_handshake(probe(), clock);
        if (handshake.duration) delay = delay + *handshake.duration * 4;
    }
    session.start(delay, [this](const Sample& sample) {
        outcome.log_lines.push_back(exchange_line(sample));
        if (outcome.log_lines.back().ends_with('\n')) outcome.log_lines.back().pop_back();
        const bool is_answered =
            sample.status == LATMON_STATUS_OK || sample.status == LATMON_STATUS_REORDERED;
        const bool has_rtt = (sample.valid & LATMON_HAS_RTT) != 0;
        if (is_answered && has_rtt) outcome.rtts_ns.push_back(sample.rtt_ns);
    });
    while (!session.is_done()) {
        session.turn(std::min(clock.now() + turn_max, deadline));
        if (!session.is_done() && must_end()) {
            session.interrupt();
            session.interrupt();
        }
    }
    outcome.sent = session.counters().sent.read();
    outcome.answered = session.tally().answered;
    outcome.lost = session.tally().unanswered();
}

void Run::connect() {
    const Instant origin = clock.now();
    for (std::uint32_t index = 0; index < count && !must_end(); ++index) {
        const Duration wait = origin + probe().interval * index - clock.now();
        if (wait > Duration{}) std::this_thread::sleep_for(std::chrono::nanoseconds(wait.ns));
        const Handshake handshake = time_handshake(probe(), clock);
        outcome.sent += handshake.has_left ? 1 : 0;
        if (handshake.duration) {
            ++outcome.answered;
            outcome.rtts_ns.push_back(handshake.duration->ns);
            outcome.log_lines.push_back(
                fmt::format("connect {}: {}", index, in_microseconds(handshake.duration->ns)));
            continue;
        }
        outcome.lost += handshake.has_left ? 1 : 0;
        outcome.log_lines.push_back(
            fmt::format("connect {}: {}", index, error_text(handshake.error)));
    }
}

}  // namespace

ProbeShare fit_probes(const ProbeModuleConfig& module, std::uint32_t count,
                      Duration left) noexcept {
    const Duration least{limits::timeout_ns_min};
    const Duration timeout = std::max(std::min(module.timeout, left), least);
    const std::int64_t more = std::max(left - timeout, Duration{}) / module.interval;
    const std::int64_t most = std::min<std::int64_t>(more + 1, count);
    return {.count = static_cast<std::uint32_t>(most), .timeout = timeout};
}

AdminProbes::AdminProbes(const AdminConfig& config)
    : modules_(config.modules),
      allow_(config.probe_allow),
      allows_any_(config.probe_allow_any),
      runs_max_(config.probes_max),
      pool_("lm-probe-", config.probes_max) {
    for (const Word<ProbeModuleConfig::Method>& word : probe_method_words) {
        ProbeModuleConfig& module = modules_.emplace_back();
        module.name = word.text;
        module.method = word.meaning;
    }
}

Result<std::unique_ptr<AdminProbes>> AdminProbes::open(const AdminConfig& config) {
    for (const ProbeModuleConfig& module : config.modules) {
        const std::string fault = fault_of(options_of(module));
        if (fault.empty()) continue;
        return fail(ExitCode::configuration,
                    fmt::format("[[admin.modules]] {}: {}", in_quotes(module.name),
                                fault.substr(fault.find_first_not_of('-'))));
    }
    return std::unique_ptr<AdminProbes>(new AdminProbes(config));
}

void AdminProbes::start(std::span<const std::uint32_t> core_cpus) {
    pool_.start(runs_max_, core_cpus);
}

const ProbeModuleConfig* AdminProbes::find_module(const std::string& name) const noexcept {
    const auto found = std::find_if(modules_.begin(), modules_.end(),
                                    [&](const auto& module) { return module.name == name; });
    return found == modules_.end() ? nullptr : &*found;
}

std::string AdminProbes::module_names() const {
    std::string names;
    for (const ProbeModuleConfig& module : modules_)
        names += (names.empty() ? "" : ", ") + module.name;
    return names;
}

void AdminProbes::probe(ProbeOrder order, const std::function<void(ProbeOutcome)>& done) {
    const ProbeModuleConfig* const module = find_module(order.module);
    if (module == nullptr) {
        return done(refuse(400, fmt::format("there is no module {}; write one of {}",
                                            in_quotes(order.module), module_names())));
    }
    if (runs_.fetch_add(1, std::memory_order_relaxed) >= runs_max_) {
        runs_.fetch_sub(1, std::memory_order_relaxed);
        return done(refuse(503, fmt::format("{} probes run already; try again, or raise "
                                            "probes_max in [admin]",
                                            runs_max_)));
    }
    const bool is_taken = pool_.submit([this, order = std::move(order), module, done] {
        ProbeOutcome outcome = run(order, *module);
        runs_.fetch_sub(1, std::memory_order_relaxed);
        done(std::move(outcome));
    });
    if (!is_taken) {
        runs_.fetch_sub(1, std::memory_order_relaxed);
        done(refuse(503, "latmon is stopping"));
    }
}

ProbeOutcome AdminProbes::run(const ProbeOrder& order, const ProbeModuleConfig& module) {
    const OsClock clock;
    const Instant began = clock.now();
    const Instant deadline = began + order.budget;
    Result<HostAndPort> asked = split_host(order.target);
    if (!asked) return refuse(400, "the parameter target: " + asked.error().text);
    const std::uint16_t port = asked->port.value_or(port_of(module));
    if (port == 0) return refuse(400, "the parameter target names no port; write HOST:PORT");

    ProbeOutcome outcome;
    const bool is_literal = parse_endpoint(asked->host, 0).has_value();
    Result<Endpoint> address = resolve_host(asked->host, AddressFamily::any);
    if (!is_literal) outcome.dns = clock.now() - began;
    outcome.duration = clock.now() - began;
    if (!address) {
        outcome.log_lines.push_back(address.error().text);
        return outcome;
    }
    address->port = port;
    outcome.ip_version = is_ipv4(address->address) ? 4 : 6;
    outcome.log_lines.push_back(fmt::format("{} is {}", asked->host, to_string(*address)));
    if (!allows_any_ && !allow_.contains(address->address)) {
        return refuse(403, fmt::format("{} is not within probe_allow of [admin]",
                                       to_string(address->address)));
    }

    const std::uint32_t wanted = order.count.value_or(module.count);
    const ProbeShare share = fit_probes(module, wanted, deadline - clock.now() - overhead);
    if (share.count < wanted || share.timeout < module.timeout) {
        outcome.log_lines.push_back(fmt::format(
            "{} leave time for {} of {} probes, {} for each to be answered",
            seconds_text(order.budget), share.count, wanted, seconds_text(share.timeout)));
    }
    PingOptions options = options_of(module);
    options.host = asked->host;
    options.timeout = share.timeout;
    options.count = share.count;
    const Result<Plan> plan = make_ping_plan(
        options, *address, static_cast<std::uint32_t>(std::max(::sched_getcpu(), 0)));
    if (!plan) return refuse(400, plan.error().text);
    Run one{.plan = *plan,
            .count = share.count,
            .deadline = deadline,
            .is_stopping = is_stopping_,
            .outcome = outcome,
            .clock = clock};
    const bool is_connect = module.method == ProbeModuleConfig::Method::tcp_connect;
    is_connect ? one.connect() : one.exchange();
    outcome.duration = clock.now() - began;
    return outcome;
}

bool AdminProbes::stop(Duration grace) {
    is_stopping_.store(true, std::memory_order_relaxed);
    return pool_.stop(grace);
}

std::uint64_t AdminProbes::fds_needed(const AdminConfig& config) noexcept {
    return config.can_probe ? config.probes_max * fds_per_run : 0;
}

}  // namespace latmon
