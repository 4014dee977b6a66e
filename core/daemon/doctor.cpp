// SPDX-License-Identifier: Apache-2.0
//
// Asks the host what doctor_checks.cpp judges. A question that the host does not answer is a
// finding too: nothing here ends the examination.
#include "daemon/doctor.hpp"

#include "clock/chrony.hpp"
#include "clock/clock_survey.hpp"
#include "daemon/commands.hpp"
#include "daemon/doctor_checks.hpp"
#include "daemon/host_facts.hpp"
#include "daemon/key_file.hpp"
#include "daemon/ping_resolve.hpp"
#include "daemon/ping_watch.hpp"
#include "daemon/stamp_proof.hpp"
#include "daemon/thread_setup.hpp"
#include "exporter/library.hpp"
#include "reactor/ring_uring.hpp"
#include "reactor/socket.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

namespace latmon {
namespace {

using FindingList = std::vector<Finding>;

// linux/capability.h
constexpr unsigned cap_net_bind_service = 10;
constexpr unsigned cap_sys_resource = 24;

bool has_capability(unsigned bit) {
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("CapEff:")) continue;
        std::istringstream mask_text(line.substr(7));
        std::uint64_t mask = 0;
        mask_text >> std::hex >> mask;
        return (mask >> bit & 1U) != 0;
    }
    return false;
}

// -- The configuration --------------------------------------------------------------------------

struct Examined {
    Config config;
    Plan plan;
};

// The operator's file, or, if that makes no sense, what latmon does without one.
Examined examine_config(const Arguments& arguments, FindingList& findings) {
    std::vector<std::string> warnings;
    Result<Config> config = read_config_if_there(arguments, warnings);
    const std::vector<std::uint32_t> cpus = available_cpus();
    Result<Plan> plan = config ? make_plan(*config, cpus) : std::unexpected(config.error());
    if (plan) {
        const std::string file =
            config->file.empty() ? "none, defaults: answers and probes nobody" : config->file;
        const std::size_t count = warnings.size() + plan->warnings.size();
        findings.push_back(
            {"configuration", count == 0 ? Verdict::ok : Verdict::warn,
             fmt::format("{}; {} probes", file, plan->probe_count),
             count == 0 ? "" : fmt::format("{} remarks: see 'latmon check'", count)});
        return {std::move(*config), std::move(*plan)};
    }
    std::string text = plan.error().text;
    std::replace(text.begin(), text.end(), '\n', ' ');
    findings.push_back({"configuration", Verdict::bad, text, "see 'latmon check'"});
    Config defaults = *parse_config("", "", {}, warnings);
    Plan default_plan = *make_plan(defaults, cpus);
    return {std::move(defaults), std::move(default_plan)};
}

// Names become addresses, so that the way to them can be tried.
void examine_names(Plan& plan, FindingList& findings) {
    std::map<std::string, Result<Endpoint>> known;
    for (CorePlan& core : plan.cores) {
        for (ProbePlan& probe : core.probes) {
            if (probe.address) continue;
            const auto [entry, is_new] = known.try_emplace(probe.host, std::unexpected(Error{}));
            if (is_new) entry->second = resolve_host(probe.host, AddressFamily::any);
            if (!entry->second) continue;
            probe.address = *entry->second;
            probe.address->port = probe.port;
        }
    }
    for (const auto& [host, address] : known) {
        if (address) continue;
        findings.push_back({"name " + host, Verdict::warn, address.error().text, ""});
    }
}

void examine_keys(const Plan& plan, FindingList& findings) {
    for (const std::string& path : plan.key_files) {
        const Result<std::vector<std::byte>> key = read_key_file(path);
        findings.push_back({"key_file " + path, key ? Verdict::ok : Verdict::bad,
                            key ? "holds a key" : key.error().text, ""});
    }
}

// -- Kernel and interfaces ----------------------------------------------------------------------

bool examine_ring(const Plan& plan, FindingList& findings) {
    utsname name{};
    ::uname(&name);
    findings.push_back(judge_kernel(name.release));
    const Result<std::unique_ptr<UringRing>> ring = UringRing::open({.sockets_max = 16});
    if (!ring) {
        findings.push_back({"io_uring", Verdict::bad, ring.error().text, ""});
        return false;
    }
    findings.push_back({"io_uring", Verdict::ok, "a ring can be opened", ""});
    findings.push_back(judge_tx_way((*ring)->stamp_ability(), plan.stamps));
    findings.push_back(judge_stamp_keys((*ring)->stamp_ability()));
    return true;
}

void examine_interfaces(const Plan& plan, FindingList& findings) {
    for (const StampVerdict& verdict : prove_stamps(plan)) {
        findings.push_back(judge_interface(verdict, plan.stamps));
    }
}

// -- Clock --------------------------------------------------------------------------------------

ClockSurveyOptions survey_options(const ClockConfig& config) {
    using Trust = ClockSurveyOptions::Trust;
    constexpr std::array<Trust, 5> trusts{Trust::automatic, Trust::kernel, Trust::chrony,
                                          Trust::operator_, Trust::none};
    static_assert(static_cast<std::size_t>(ClockTrust::none) + 1 == trusts.size());
    return {.trust = trusts.at(static_cast<std::size_t>(config.trust)),
            .operator_error = config.error_bound,
            .chrony = config.chrony};
}

bool uses_ptp(const Plan& plan) {
    return plan.reflector.timestamp_format == TimestampFormat::ptp ||
           std::any_of(plan.targets.begin(), plan.targets.end(), [](const TargetConfig& target) {
               return target.timestamp_format == TimestampFormat::ptp;
           });
}

void examine_clock(const Plan& plan, FindingList& findings) {
    const OsClock clock;
    findings.push_back(judge_kernel_clock(read_kernel_clock()));
    const std::optional<ChronyTracking> tracking = Chrony(plan.clock.chrony).ask(clock.now());
    const std::optional<Duration> bound =
        tracking ? error_bound(*tracking, clock.wall_now()) : std::nullopt;
    findings.push_back(judge_chrony(plan.clock.chrony, tracking.has_value(), bound));
    const LocalClock local = ClockSurvey(survey_options(plan.clock)).look(clock);
    findings.push_back(judge_clock(local, clock.now()));
    findings.push_back(judge_tai(local, uses_ptp(plan)));
}

// -- CPUs and limits ----------------------------------------------------------------------------

void examine_cpus(const Plan& plan, FindingList& findings) {
    findings.push_back(judge_cpus(available_cpus().size(), plan));
    findings.push_back(judge_steal(read_cpu_ticks(), "since boot"));
    findings.push_back(judge_scheduler(::sched_getscheduler(0), plan.precision));
    findings.push_back(judge_governor(governor_of(plan.cores.front().cpu)));
}

void examine_limits(const Plan& plan, bool has_ring, FindingList& findings) {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    findings.push_back(judge_files(plan.fds_needed, {files.rlim_cur, files.rlim_max},
                                   has_capability(cap_sys_resource)));
    rlimit memory{};
    ::getrlimit(RLIMIT_MEMLOCK, &memory);
    findings.push_back(judge_memlock(memory.rlim_cur, has_ring));
    findings.push_back(judge_receive_buffer(number_of("/proc/sys/net/core/rmem_max")));
}

// -- Ports and plugins --------------------------------------------------------------------------

// 0, or the errno value of the failure.
int try_listener(const ListenerPlan& listener) {
    const SocketOptions options{.local = listener.endpoint,
                                .is_ipv6 = !is_ipv4(listener.endpoint.address),
                                .is_reflector = true};
    const Outcome<Fd> fd = listener.is_tcp ? open_tcp_listener(options) : open_udp_socket(options);
    return fd ? 0 : fd.error();
}

void examine_ports(const Plan& plan, FindingList& findings) {
    const std::uint64_t low_ports = number_of("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    constexpr std::uint64_t stamp_port = 862;
    const bool may_bind_low = has_capability(cap_net_bind_service) || low_ports <= stamp_port;
    findings.push_back(judge_privileges(may_bind_low, plan));
    for (const ListenerPlan& listener : plan.listeners) {
        findings.push_back(judge_port(listener, try_listener(listener)));
    }
}

void examine_plugins(const Examined& examined, FindingList& findings) {
    for (const ExporterConfig& exporter : examined.plan.exporters) {
        const std::string& named = exporter.plugin.empty() ? exporter.path : exporter.plugin;
        const Result<LoadedPlugin> plugin = load_plugin(exporter, examined.config.plugin_path);
        // The ancestor's backends give way to stdout where their plugin is not there.
        const Verdict missing = exporter.is_compatible ? Verdict::warn : Verdict::bad;
        findings.push_back({"plugin " + named, plugin ? Verdict::ok : missing,
                            plugin ? plugin->file : plugin.error().text, ""});
    }
}

}  // namespace

int doctor(const Arguments& arguments) {
    block_stop_signals(false);  // There is nothing that would have to be wound up.
    FindingList findings;
    Examined examined = examine_config(arguments, findings);
    Plan& plan = examined.plan;
    examine_names(plan, findings);
    examine_keys(plan, findings);
    const bool has_ring = examine_ring(plan, findings);
    examine_interfaces(plan, findings);
    examine_clock(plan, findings);
    examine_cpus(plan, findings);
    examine_limits(plan, has_ring, findings);
    examine_ports(plan, findings);
    examine_plugins(examined, findings);
    static_cast<void>(print(arguments.is_json ? doctor_json(findings) : doctor_text(findings)));
    return doctor_exit_code(findings);
}

}  // namespace latmon
