// SPDX-License-Identifier: Apache-2.0
//
// The life of a self-test, top to bottom; what each step does stands where it is named.
#include "daemon/selftest.hpp"

#include "base/background_thread.hpp"
#include "daemon/commands.hpp"
#include "daemon/ping_watch.hpp"
#include "daemon/selftest_phase.hpp"
#include "daemon/selftest_report.hpp"
#include "daemon/stamp_proof.hpp"
#include "daemon/thread_setup.hpp"
#include "reactor/ring_uring.hpp"

#include <sched.h>
#include <algorithm>
#include <array>
#include <memory>

namespace latmon {
namespace {

// An address of nobody (RFC 5737): the way to it is that to the rest of the world. Nothing is sent.
const Endpoint elsewhere = *parse_endpoint("192.0.2.1", 862);

void examine_interfaces(const Plan& plan, SelftestHost& host) {
    host.interfaces = prove_stamps(plan);
    const std::string name = interface_towards(ProbePlan{}, elsewhere);
    const bool is_known =
        std::ranges::find(host.interfaces, name, &StampVerdict::interface) != host.interfaces.end();
    if (name.empty() || is_known) return;
    host.further_card.interface = name;
    ask_hardware(host.further_card);
}

Result<SelftestHost> examine_host(const Config& config, const SelftestSetting& setting) {
    const std::vector<std::uint32_t> cpus = available_cpus();
    const Result<Plan> plan = make_plan(config, cpus);
    if (!plan) return std::unexpected(plan.error());
    const Result<std::unique_ptr<UringRing>> ring = UringRing::open({.sockets_max = 16});
    if (!ring) return std::unexpected(ring.error());
    SelftestHost host;
    host.config_file = config.file;
    host.cpus = cpus.size();
    host.ability = (*ring)->stamp_ability();
    examine_interfaces(*plan, host);
    host.governor = governor_of(setting.sender_cpu);
    host.clock_source = clock_source();
    host.clock_reading = clock_reading_cost(OsClock());
    host.scheduler = ::sched_getscheduler(0);
    return host;
}

Result<void> run_all(SelftestRunner& runner, const std::vector<PhaseSpec>& phases,
                     std::vector<PhaseFigures>& to) {
    for (const PhaseSpec& phase : phases) {
        Result<PhaseFigures> figures = runner.run(phase);
        if (!figures) return std::unexpected(figures.error());
        to.push_back(std::move(*figures));
    }
    return {};
}

Result<void> search_capacity(SelftestRunner& runner, SelftestReport& report) {
    CapacitySearch search(capacity_rate_max(report.options));
    const auto run = [&](std::uint32_t rate) {
        return runner.run(capacity_phase(report.options, report.setting.precision, rate));
    };
    Result<std::vector<PhaseFigures>> steps = run_search(search, run);
    if (!steps) return std::unexpected(steps.error());
    report.steps = std::move(*steps);
    report.capacity_per_s = search.best();
    return {};
}

Result<void> run_phases(SelftestReport& report) {
    const OsClock clock;
    SelftestRunner runner(report.setting, clock);
    const CpuTicks before = read_cpu_ticks();
    Result<void> ran = run_all(runner, lateness_phases(report.options), report.lateness);
    if (!ran) return ran;
    ran = run_all(runner, added_phases(report.options, report.setting.precision), report.added);
    if (!ran) return ran;
    ran = search_capacity(runner, report);
    if (!ran) return ran;
    const CpuTicks after = read_cpu_ticks();
    report.host.ticks = {.stolen = after.stolen - before.stolen, .all = after.all - before.all};
    return {};
}

Result<SelftestReport> run(const Arguments& arguments) {
    std::vector<std::string> warnings;
    const Result<Config> config = read_config_if_there(arguments, warnings);
    if (!config) return std::unexpected(config.error());
    SelftestReport report;
    report.options = arguments.selftest;
    const Result<SelftestSetting> setting =
        choose_setting(report.options, *config, available_cpus());
    if (!setting) return std::unexpected(setting.error());
    report.setting = *setting;
    Result<SelftestHost> host = examine_host(*config, *setting);
    if (!host) return std::unexpected(host.error());
    report.host = std::move(*host);
    keep_off_cores(std::array{setting->sender_cpu, setting->reflector_cpu});
    if (Result<void> ran = run_phases(report); !ran) return std::unexpected(ran.error());
    report.findings = judge(report);
    return report;
}

}  // namespace

int selftest(const Arguments& arguments) {
    block_stop_signals(false);  // There is nothing that would have to be wound up.
    const Result<SelftestReport> report = run(arguments);
    if (!report) {
        print_error(report.error());
        return static_cast<int>(report.error().code);
    }
    static_cast<void>(
        print(report->options.is_json ? selftest_json(*report) : selftest_text(*report)));
    return report->exit_code();
}

}  // namespace latmon
