// SPDX-License-Identifier: Apache-2.0
//
// See selftest_plan.hpp.
#include "daemon/selftest_plan.hpp"

#include "base/limits.hpp"
#include "config/cpu_list.hpp"
#include "config/parse.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>

namespace latmon {
namespace {

constexpr std::uint32_t lateness_rate_per_s = 1'000;
constexpr std::uint32_t added_rate_per_s = 10'000;
constexpr std::uint32_t capacity_rate_per_s_max = 400'000;
constexpr std::uint32_t target_rate_per_s_max = 1'000'000'000 / limits::interval_ns_min;

// Shares of the whole, in thousandths. Three, two and some seven phases, with 50 to 100 ms between
// two of them, come to about the whole.
constexpr std::int64_t lateness_share = 75;
constexpr std::int64_t added_share = 110;
constexpr std::int64_t capacity_share = 35;

// Whatever is asked for: every target is probed in the window more than once.
constexpr std::int64_t intervals_min = 3;
constexpr Duration duration_min = Duration::from_ms(150);

// On loopback what has not come by now was dropped.
constexpr Duration timeout = Duration::from_ms(500);
// One socket from first to last.
constexpr std::uint32_t never_reopen = 1'000'000;

PhaseSpec make_phase(PhaseSpec phase, Duration wanted) {
    const Duration least = std::max(duration_min, phase.interval() * intervals_min);
    // The queue of samples is emptied afterwards, and must hold them all.
    constexpr std::int64_t samples_max = std::int64_t{selftest_queue_samples} / 8 * 7;
    const Duration most = Duration::from_s(1) * samples_max / phase.rate_per_s;
    phase.duration = std::min(std::max(wanted, least), most);
    return phase;
}

Config base_config() {
    std::vector<std::string> warnings;
    Config config = *parse_config("", "", {}, warnings);
    config.name = "selftest";
    config.tcp = false;
    config.exporters.clear();
    config.clock.has_series = false;
    config.node_interval = Duration{};
    return config;
}

bool contains(std::span<const std::uint32_t> cpus, std::uint32_t cpu) {
    return std::ranges::find(cpus, cpu) != cpus.end();
}

// Not the sender's, if there is another: the last, as far as may be from the host's interrupts.
std::uint32_t other_cpu(std::span<const std::uint32_t> cpus, std::uint32_t sender_cpu) {
    for (std::size_t index = cpus.size(); index > 0; --index) {
        if (cpus[index - 1] != sender_cpu) return cpus[index - 1];
    }
    return sender_cpu;
}

Result<Plan> plan_on(std::uint32_t cpu, const Config& config) {
    const std::array<std::uint32_t, 1> cpus{cpu};
    return make_plan(config, cpus);
}

}  // namespace

Result<SelftestSetting> choose_setting(const SelftestOptions& options, const Config& config,
                                       std::span<const std::uint32_t> cpus) {
    const std::vector<std::uint32_t>& wanted = options.cpus.empty() ? config.cores : options.cpus;
    for (const std::uint32_t cpu : wanted) {
        if (contains(cpus, cpu)) continue;
        return fail(options.cpus.empty() ? ExitCode::configuration : ExitCode::usage,
                    fmt::format("latmon may not run on CPU {}; write CPUs out of {}", cpu,
                                format_cpu_list(cpus)));
    }
    SelftestSetting setting{.precision = config.precision, .stamps = config.stamps};
    setting.sender_cpu = wanted.empty() ? cpus.back() : wanted.front();
    setting.reflector_cpu = wanted.size() > 1 ? wanted[1] : other_cpu(cpus, setting.sender_cpu);
    if (options.cpus.size() == 1) setting.reflector_cpu = setting.sender_cpu;
    return setting;
}

std::vector<PhaseSpec> lateness_phases(const SelftestOptions& options) {
    std::vector<PhaseSpec> phases;
    for (const Precision precision : {Precision::power, Precision::balanced, Precision::spin}) {
        phases.push_back(
            make_phase({.precision = precision, .rate_per_s = lateness_rate_per_s, .duration = {}},
                       options.duration * lateness_share / 1'000));
    }
    return phases;
}

std::vector<PhaseSpec> added_phases(const SelftestOptions& options, Precision precision) {
    std::vector<PhaseSpec> phases;
    for (const std::uint32_t targets : {1U, options.targets}) {
        phases.push_back(make_phase({.precision = precision,
                                     .targets = targets,
                                     .rate_per_s = added_rate_per_s,
                                     .duration = {}},
                                    options.duration * added_share / 1'000));
    }
    return phases;
}

PhaseSpec capacity_phase(const SelftestOptions& options, Precision precision,
                         std::uint32_t rate_per_s) {
    return make_phase({.precision = precision,
                       .targets = options.targets,
                       .rate_per_s = rate_per_s,
                       .duration = {}},
                      options.duration * capacity_share / 1'000);
}

std::uint32_t capacity_rate_max(const SelftestOptions& options) noexcept {
    const std::uint64_t of_targets = std::uint64_t{options.targets} * target_rate_per_s_max;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(of_targets, capacity_rate_per_s_max));
}

Result<Plan> reflector_plan(const SelftestSetting& setting, std::uint16_t port) {
    Config config = base_config();
    config.listen_addresses = {"127.0.0.1"};
    config.is_listen_explicit = true;
    config.udp_port = port;
    config.stamp_port = 0;
    config.precision = setting.precision;
    // No limit of the reflector's may stand for one of the host's.
    config.reflector.sessions_per_source = limits::sessions_per_core;
    config.reflector.rate_total = 100'000'000;
    return plan_on(setting.reflector_cpu, config);
}

Result<Plan> sender_plan(const SelftestSetting& setting, const PhaseSpec& phase,
                         std::uint16_t port) {
    Config config = base_config();
    config.listen_addresses.clear();
    config.precision = phase.precision;
    // Loopback has no card, and what the kernel does not do is a finding and no error.
    config.stamps =
        setting.stamps == StampPolicy::user ? StampPolicy::user : StampPolicy::automatic;
    // Two readings: the first ends the warm-up, the second is what counts.
    config.node_interval = phase.duration * 9 / 20;
    TargetConfig target;
    target.host = "127.0.0.1";
    target.tcp = false;
    target.tcp_latency = false;
    target.udp_port = port;
    target.protocol = ProbeProtocol::stamp;
    target.interval = phase.interval();
    target.timeout = timeout;
    target.max_lost = never_reopen;
    target.descriptor = false;
    config.targets.assign(phase.targets, target);
    return plan_on(setting.sender_cpu, config);
}

}  // namespace latmon
