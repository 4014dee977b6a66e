// SPDX-License-Identifier: Apache-2.0
//
// Claims about what a self-test runs.
#include "daemon/selftest_plan.hpp"

#include <doctest/doctest.h>
#include <vector>

namespace latmon {
namespace {

const std::vector<std::uint32_t> four{0, 1, 2, 3};

TEST_CASE("selftest_plan: the sender is where the daemon would be, the reflector elsewhere") {
    const SelftestSetting bare = *choose_setting({}, Config{}, four);
    CHECK(bare.sender_cpu == 3);
    CHECK(bare.reflector_cpu == 2);
    Config config;
    config.cores = {2};
    CHECK(choose_setting({}, config, four)->sender_cpu == 2);
    CHECK(choose_setting({}, config, four)->reflector_cpu == 3);
    config.cores = {1, 0, 3};
    CHECK(choose_setting({}, config, four)->sender_cpu == 1);
    CHECK(choose_setting({}, config, four)->reflector_cpu == 0);
    SelftestOptions options;
    options.cpus = {3, 1};
    CHECK(choose_setting(options, config, four)->sender_cpu == 3);
    CHECK(choose_setting(options, config, four)->reflector_cpu == 1);
}

TEST_CASE("selftest_plan: with one CPU both are on it, and it is known") {
    CHECK(choose_setting({}, Config{}, std::vector<std::uint32_t>{5})->shares_cpu());
    SelftestOptions options;
    options.cpus = {0};
    CHECK(choose_setting(options, Config{}, four)->shares_cpu());
    CHECK_FALSE(choose_setting({}, Config{}, four)->shares_cpu());
}

TEST_CASE("selftest_plan: a CPU that is not at hand is refused, by whom it was named") {
    SelftestOptions options;
    options.cpus = {0, 7};
    const Result<SelftestSetting> typed = choose_setting(options, Config{}, four);
    REQUIRE_FALSE(typed.has_value());
    CHECK(typed.error().code == ExitCode::usage);
    CHECK(typed.error().text.find("CPU 7") != std::string::npos);
    Config config;
    config.cores = {9};
    CHECK(choose_setting({}, config, four).error().code == ExitCode::configuration);
}

TEST_CASE("selftest_plan: the configuration's precision and stamps are those that are tried") {
    Config config;
    config.precision = Precision::spin;
    config.stamps = StampPolicy::user;
    const SelftestSetting setting = *choose_setting({}, config, four);
    CHECK(setting.precision == Precision::spin);
    const PhaseSpec phase = added_phases({}, setting.precision).back();
    CHECK(phase.precision == Precision::spin);
    const Plan plan = *sender_plan(setting, phase, 4'000);
    CHECK(plan.precision == Precision::spin);
    CHECK(plan.stamps == StampPolicy::user);
}

// Every phase that may be, for these options.
std::vector<PhaseSpec> all_phases(const SelftestOptions& options) {
    std::vector<PhaseSpec> phases = lateness_phases(options);
    for (const PhaseSpec& phase : added_phases(options, Precision::balanced))
        phases.push_back(phase);
    for (const std::uint32_t rate : {500U, 10'000U, capacity_rate_max(options)})
        phases.push_back(capacity_phase(options, Precision::balanced, rate));
    return phases;
}

TEST_CASE("selftest_plan: whatever is asked for, a phase has a window and its samples fit") {
    for (const std::int64_t seconds : {2, 8, 60}) {
        for (const std::uint32_t targets : {1U, 50U, 1'000U, 10'000U}) {
            SelftestOptions options;
            options.duration = Duration::from_s(seconds);
            options.targets = targets;
            for (const PhaseSpec& phase : all_phases(options)) {
                CAPTURE(seconds);
                CAPTURE(phase.targets);
                CAPTURE(phase.rate_per_s);
                CHECK(phase.interval().ns >= limits::interval_ns_min);
                CHECK(phase.window_end() - phase.window_begin() >= phase.interval());
                const double probes = static_cast<double>(phase.duration.ns) / 1e9 *
                                      static_cast<double>(phase.rate_per_s);
                CHECK(probes < selftest_queue_samples);
            }
        }
    }
}

TEST_CASE("selftest_plan: sender and reflector know of each other and of nobody else") {
    const SelftestSetting setting{.sender_cpu = 1, .reflector_cpu = 0};
    const PhaseSpec phase{.targets = 20, .rate_per_s = 1'000, .duration = Duration::from_s(1)};
    const Plan sender = *sender_plan(setting, phase, 4'321);
    CHECK(sender.listeners.empty());
    CHECK(sender.cores.size() == 1);
    CHECK(sender.cores.front().cpu == 1);
    REQUIRE(sender.cores.front().probes.size() == 20);
    for (const ProbePlan& probe : sender.cores.front().probes) {
        CHECK(probe.kind == ProbeKind::udp);
        CHECK(to_string(*probe.address) == "127.0.0.1:4321");
        CHECK(probe.interval == Duration::from_ms(20));
        CHECK_FALSE(probe.sends_descriptor);
    }
    const Plan reflector = *reflector_plan(setting, 4'321);
    CHECK(reflector.probe_count == 0);
    CHECK(reflector.cores.front().cpu == 0);
    REQUIRE(reflector.listeners.size() == 1);
    CHECK(to_string(reflector.listeners.front().endpoint) == "127.0.0.1:4321");
    CHECK_FALSE(reflector.listeners.front().is_tcp);
}

}  // namespace
}  // namespace latmon
