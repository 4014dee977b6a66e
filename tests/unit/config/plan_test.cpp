// SPDX-License-Identifier: Apache-2.0
//
// Claims about who runs what.
#include "config/plan.hpp"

#include "unit/config/config_text.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <set>

namespace latmon {
namespace {

constexpr std::array<std::uint32_t, 4> four_cpus{0, 1, 2, 3};

TargetConfig target_named(std::string host) {
    TargetConfig target;
    target.host = std::move(host);
    return target;
}

// A node with `count` targets, on the CPUs given.
Config config_with(std::uint32_t count, std::vector<std::uint32_t> cores = {}) {
    Config config;
    config.name = "node";
    config.cores = std::move(cores);
    for (std::uint32_t index = 0; index < count; ++index) {
        config.targets.push_back(target_named("host" + std::to_string(index)));
    }
    return config;
}

Plan plan_of(const Config& config, std::span<const std::uint32_t> cpus = four_cpus) {
    const Result<Plan> plan = make_plan(config, cpus);
    if (!plan) FAIL(plan.error().text);
    return *plan;
}

std::string error_of(const Config& config, std::span<const std::uint32_t> cpus = four_cpus) {
    const Result<Plan> plan = make_plan(config, cpus);
    if (plan) return "";
    CHECK(plan.error().code == ExitCode::configuration);
    return plan.error().text;
}

// All probes by probe_index.
std::vector<ProbePlan> probes_of(const Plan& plan) {
    std::vector<ProbePlan> probes;
    for (const CorePlan& core : plan.cores) {
        probes.insert(probes.end(), core.probes.begin(), core.probes.end());
    }
    std::sort(probes.begin(), probes.end(),
              [](const ProbePlan& a, const ProbePlan& b) { return a.probe_index < b.probe_index; });
    return probes;
}

// -- Probes -----------------------------------------------------------------------------------

TEST_CASE("plan: a target is probed by UDP, by TCP and by handshakes, in this order") {
    Config config = config_with(2);
    config.targets[0].udp_port = 1;
    config.targets[0].tcp_port = 2;
    const std::vector<ProbePlan> probes = probes_of(plan_of(config));
    REQUIRE(probes.size() == 6);
    CHECK(probes[0].kind == ProbeKind::udp);
    CHECK(probes[0].port == 1);
    CHECK(probes[1].kind == ProbeKind::tcp);
    CHECK(probes[1].port == 2);
    CHECK(probes[2].kind == ProbeKind::tcp_connect);
    CHECK(probes[2].port == 2);
    CHECK(probes[2].size_bytes == 0);
    CHECK(probes[3].kind == ProbeKind::udp);
    CHECK(probes[3].target_index == 1);
    for (std::uint32_t index = 0; index < 6; ++index) {
        CHECK(probes[index].probe_index == index);
        CHECK(probes[index].ssid == index + 1);
    }
}

TEST_CASE("plan: a target is probed only by what is on") {
    Config config = config_with(4);
    config.targets[0].udp = false;
    config.targets[1].tcp = false;
    config.targets[2].tcp_latency = false;
    config.targets[3].udp = false;
    config.targets[3].tcp = false;
    const std::vector<ProbePlan> probes = probes_of(plan_of(config));
    REQUIRE(probes.size() == 5);
    CHECK(probes[0].kind == ProbeKind::tcp);
    CHECK(probes[1].kind == ProbeKind::tcp_connect);
    CHECK(probes[2].kind == ProbeKind::udp);
    CHECK(probes[3].kind == ProbeKind::udp);
    CHECK(probes[4].kind == ProbeKind::tcp);
}

TEST_CASE("plan: what a target says arrives at its probes") {
    Config config = config_with(1);
    TargetConfig& target = config.targets[0];
    target.host = "192.0.2.1";
    target.source = "192.0.2.2";
    target.interface = "eth0";
    target.size_bytes = 100;
    target.interval = Duration::from_ms(10);
    target.timeout = Duration::from_ms(20);
    target.jitter = Duration::from_ms(1);
    target.max_lost = 7;
    target.dscp = 46;
    target.rtt = false;
    const ProbePlan probe = probes_of(plan_of(config)).at(0);
    REQUIRE(probe.address.has_value());
    CHECK(to_string(*probe.address) == "192.0.2.1:8001");
    REQUIRE(probe.source.has_value());
    CHECK(to_string(*probe.source) == "192.0.2.2:0");
    CHECK(probe.interface == "eth0");
    CHECK(probe.size_bytes == 100);
    CHECK(probe.interval == Duration::from_ms(10));
    CHECK(probe.timeout == Duration::from_ms(20));
    CHECK(probe.jitter == Duration::from_ms(1));
    CHECK(probe.max_lost == 7);
    CHECK(probe.dscp == 46);
    CHECK_FALSE(probe.wants_rtt);
}

TEST_CASE("plan: a name has no address yet") {
    const ProbePlan probe = probes_of(plan_of(config_with(1))).at(0);
    CHECK_FALSE(probe.address.has_value());
    CHECK_FALSE(probe.source.has_value());
    CHECK(probe.host == "host0");
}

TEST_CASE("plan: session ids are never zero and come round") {
    Config config = config_with(30'000);
    config.cores = {0, 1};
    const std::vector<ProbePlan> probes = probes_of(plan_of(config));
    REQUIRE(probes.size() == 90'000);
    CHECK(std::none_of(probes.begin(), probes.end(),
                       [](const ProbePlan& probe) { return probe.ssid == 0; }));
    CHECK(probes[65'534].ssid == 65'535);
    CHECK(probes[65'535].ssid == 1);
}

// -- Cores ------------------------------------------------------------------------------------

TEST_CASE("plan: without `cores` there is one, on the last CPU") {
    const Plan plan = plan_of(config_with(1), std::array<std::uint32_t, 2>{3, 9});
    REQUIRE(plan.cores.size() == 1);
    CHECK(plan.cores[0].cpu == 9);
}

TEST_CASE("plan: a CPU that is not at hand is refused with those that are") {
    Config config = config_with(0, {0, 5, 6});
    config.file = "t.toml";
    CHECK(error_of(config) ==
          "t.toml: \"cores\" names CPU 5-6, which latmon may not run on; write CPUs out of 0-3");
}

TEST_CASE("plan: cores get equal loads, not equal numbers") {
    Config config = config_with(31, {0, 1});
    for (TargetConfig& target : config.targets) {
        target.tcp = false;
    }
    config.targets[0].interval = Duration::from_ms(100);  // As much as ten of the others.
    const Plan plan = plan_of(config);
    CHECK(plan.cores[0].probes.size() == 11);
    CHECK(plan.cores[1].probes.size() == 20);
}

TEST_CASE("plan: a target that is appended moves no other") {
    const std::vector<ProbePlan> before = probes_of(plan_of(config_with(50, {0, 1, 2})));
    const Plan longer = plan_of(config_with(51, {0, 1, 2}));
    const std::vector<ProbePlan> after = probes_of(longer);
    for (std::size_t index = 0; index < before.size(); ++index) {
        CHECK(before[index].phase == after[index].phase);
        CHECK(before[index].ssid == after[index].ssid);
        CHECK(before[index].host == after[index].host);
    }
}

TEST_CASE("plan: more probes than a core holds are refused") {
    Config config = config_with(limits::targets_per_core_max + 1);
    for (TargetConfig& target : config.targets) {
        target.tcp = false;
    }
    CHECK(contains(error_of(config), "CPU 3 would run 49001 probes; 49000 are the most"));
    config.cores = {0, 1};
    CHECK(error_of(config) == "");
}

// -- Phases -----------------------------------------------------------------------------------

// The largest gap between two neighbours on the circle of one interval, in shares of the gap that a
// perfectly even spread would have.
double worst_gap(const CorePlan& core) {
    std::vector<std::int64_t> phases;
    for (const ProbePlan& probe : core.probes) {
        phases.push_back(probe.phase.ns);
    }
    std::sort(phases.begin(), phases.end());
    const std::int64_t interval = core.probes.front().interval.ns;
    std::int64_t worst = phases.front() + interval - phases.back();
    for (std::size_t index = 1; index < phases.size(); ++index) {
        worst = std::max(worst, phases[index] - phases[index - 1]);
    }
    return static_cast<double>(worst) * static_cast<double>(phases.size()) /
           static_cast<double>(interval);
}

Config udp_config(std::uint32_t count, std::uint32_t size_bytes) {
    Config config = config_with(count, {0});
    for (TargetConfig& target : config.targets) {
        target.tcp = false;
        target.size_bytes = size_bytes;
    }
    return config;
}

// Multiples of the golden ratio leave no gap wider than 1.9 times the even one, whatever their
// number; random phases leave one of about ln(n), 9 for 10,000.
TEST_CASE("plan: phases are spread evenly for every number of probes") {
    constexpr std::uint32_t big = 1'000;
    for (const std::uint32_t count : {1U, 2U, 3U, 10U, 64U, 99U, 1'000U, 10'000U}) {
        CAPTURE(count);
        CHECK(worst_gap(plan_of(udp_config(count, big)).cores[0]) < 2.0);
    }
}

TEST_CASE("plan: small probes behind the first 64 leave sixteen at a time, spread evenly") {
    const Plan plan = plan_of(udp_config(64 + 160 * 16, 100));
    CorePlan leaders;
    std::map<std::int64_t, std::uint32_t> sizes;
    for (const ProbePlan& probe : plan.cores[0].probes)
        ++sizes[probe.phase.ns];
    CHECK(sizes.size() == 64 + 160);
    for (std::size_t place = 0; place < plan.cores[0].probes.size(); ++place) {
        const ProbePlan& probe = plan.cores[0].probes[place];
        CHECK(sizes[probe.phase.ns] == (place < 64 ? 1 : 16));
        if (place >= 64 && place % 16 == 0) leaders.probes.push_back(probe);
    }
    CHECK(worst_gap(leaders) < 2.0);
}

TEST_CASE("plan: no large packet leaves with a group of small ones") {
    Config config = udp_config(4'000, 100);
    for (std::size_t index = 0; index < config.targets.size(); index += 7)
        config.targets[index].size_bytes = 1'400;
    const Plan plan = plan_of(config);
    std::set<std::int64_t> large;
    for (const ProbePlan& probe : plan.cores[0].probes) {
        if (probe.size_bytes > 1'000) large.insert(probe.phase.ns);
    }
    for (const ProbePlan& probe : plan.cores[0].probes)
        CHECK((probe.size_bytes > 1'000) == large.contains(probe.phase.ns));
}

TEST_CASE("plan: sleeps end late for groups of rare probes, and for nobody else") {
    Config config = udp_config(80, 100);
    CHECK(config.targets[79].interval > Duration::from_ms(100));
    CHECK(!plan_of(config).cores[0].probes[79].is_precise);
    CHECK(plan_of(config).cores[0].probes[63].is_precise);
    config.targets[79].interval = Duration::from_ms(100);
    CHECK(plan_of(config).cores[0].probes[79].is_precise);
}

TEST_CASE("plan: a phase lies within the interval, short or long") {
    Config config = config_with(2'000, {0, 1});
    for (std::size_t index = 0; index < config.targets.size(); ++index) {
        config.targets[index].timeout = Duration::from_ms(1);
        config.targets[index].interval =
            Duration{index % 2 == 0 ? limits::interval_ns_min : limits::interval_ns_max};
    }
    for (const ProbePlan& probe : probes_of(plan_of(config))) {
        CHECK(probe.phase >= Duration{});
        CHECK(probe.phase < probe.interval);
    }
}

TEST_CASE("plan: phases are the same after a restart and differ between nodes") {
    Config config = config_with(3);
    const std::vector<ProbePlan> first = probes_of(plan_of(config));
    const std::vector<ProbePlan> again = probes_of(plan_of(config));
    config.name = "node2";
    const std::vector<ProbePlan> other = probes_of(plan_of(config));
    for (std::size_t index = 0; index < first.size(); ++index) {
        CHECK(first[index].phase == again[index].phase);
        CHECK(first[index].phase != other[index].phase);
    }
}

TEST_CASE("plan: nodes with like names do not probe at like times") {
    std::set<std::int64_t> tenths;
    for (int number = 1; number <= 40; ++number) {
        Config config = config_with(1);
        config.name = "node" + std::to_string(number);
        tenths.insert(probes_of(plan_of(config)).at(0).phase.ns / 100'000'000);
    }
    CHECK(tenths.size() >= 8);
}

TEST_CASE("plan: two cores do not send at the same moments") {
    const Plan plan = plan_of(config_with(2, {0, 1}));
    CHECK(plan.cores[0].probes[0].phase != plan.cores[1].probes[0].phase);
}

// -- Probes in flight -------------------------------------------------------------------------

std::uint32_t slots_of(Duration interval, Duration timeout) {
    Config config = config_with(1);
    config.targets[0].interval = interval;
    config.targets[0].timeout = timeout;
    return probes_of(plan_of(config)).at(0).in_flight_slots;
}

TEST_CASE("plan: slots are a power of two that holds twice what may be in flight") {
    CHECK(slots_of(Duration::from_s(1), Duration::from_s(1)) == limits::in_flight_slots_min);
    CHECK(slots_of(Duration::from_s(10), Duration::from_s(1)) == limits::in_flight_slots_min);
    CHECK(slots_of(Duration::from_ms(1), Duration::from_s(1)) == 2'048);       // 2 x 1002
    CHECK(slots_of(Duration::from_ms(1), Duration::from_ms(1'022)) == 2'048);  // 2 x 1024
    CHECK(slots_of(Duration::from_ms(1), Duration::from_ms(1'023)) == 4'096);
    CHECK(slots_of(Duration::from_us(100), Duration::from_ms(6'553)) == 131'072);
}

TEST_CASE("plan: too many probes in flight are refused with both values and the cure") {
    Config config = config_with(2);
    config.file = "t.toml";
    config.targets[1].where = {5, 1};
    config.targets[1].interval = Duration::from_us(100);
    config.targets[1].timeout = Duration::from_s(60);
    CHECK(error_of(config) ==
          "t.toml:5:1: target \"host1\": timeout 60 s at interval 0.1 ms means 600002 probes in "
          "flight; write a timeout of at most 6.5534 s, or a longer interval");
    config.targets[1].timeout = Duration{6'553'400'000};
    CHECK(error_of(config) == "");
}

// -- Sockets ----------------------------------------------------------------------------------

std::string listeners_of(const Config& config) {
    std::string text;
    for (const ListenerPlan& listener : plan_of(config).listeners) {
        text += listener.is_tcp ? "tcp " : "udp ";
        text += to_string(listener.endpoint);
        text += listener.is_required ? "\n" : "?\n";
    }
    return text;
}

TEST_CASE("plan: by default IPv4 is required, IPv6 and the STAMP port are tried") {
    CHECK(listeners_of(config_with(0)) ==
          "udp 0.0.0.0:8001\ntcp 0.0.0.0:8000\nudp 0.0.0.0:862?\n"
          "udp [::]:8001?\ntcp [::]:8000?\nudp [::]:862?\n");
}

TEST_CASE("plan: what was asked for is required") {
    CHECK(listeners_of(config_of("address = \"::1\"\nstamp_port = 862\ntcp = false")) ==
          "udp [::1]:8001\nudp [::1]:862\n");
    CHECK(listeners_of(config_of("address = \"::1\"\nudp = false")) == "tcp [::1]:8000\n");
    CHECK(listeners_of(config_of("stamp_port = 862\ntcp = false")) ==
          "udp 0.0.0.0:8001\nudp 0.0.0.0:862\nudp [::]:8001?\nudp [::]:862?\n");
}

TEST_CASE("plan: the STAMP port is left out when it is off or the UDP port itself") {
    CHECK(listeners_of(config_of("address = \"::1\"\nstamp_port = 0\ntcp = false")) ==
          "udp [::1]:8001\n");
    CHECK(listeners_of(config_of("address = \"::1\"\nudp_port = 862\ntcp = false")) ==
          "udp [::1]:862\n");
}

TEST_CASE("plan: descriptors are counted for the worst case") {
    // 64 for the process, 16 for the core.
    const Config quiet = config_of("address = \"::1\"\ntcp = false\nstamp_port = 0\n");
    CHECK(plan_of(quiet).fds_needed == 64 + 16 + 1);
    Config config = config_of("address = \"::1\"\nstamp_port = 0\n");
    CHECK(plan_of(config).fds_needed == 64 + 16 + 2 + limits::tcp_sessions_per_core);
    config.targets.push_back(target_named("a"));
    const std::uint64_t base = 64 + 16 + 2 + limits::tcp_sessions_per_core + 2;
    CHECK(plan_of(config).fds_needed == base + 3);  // A timeout of one interval.
    config.targets[0].interval = Duration::from_us(100);
    CHECK(plan_of(config).fds_needed == base + limits::connects_in_flight_max);
    config.cores = {0, 1};
    CHECK(plan_of(config).fds_needed ==
          base + limits::connects_in_flight_max + 16 + 2 + limits::tcp_sessions_per_core);
}

// -- Warnings ---------------------------------------------------------------------------------

TEST_CASE("plan: a plan that does nothing, or takes every CPU, is warned of") {
    CHECK(plan_of(config_with(1)).warnings.empty());
    Config config = config_with(0);
    config.udp = false;
    config.tcp = false;
    CHECK(contains(plan_of(config).warnings.at(0), "nothing is answered"));
    config = config_with(0, {0, 1, 2, 3});
    CHECK(plan_of(config).warnings.empty());
    config.precision = Precision::spin;
    CHECK(contains(plan_of(config).warnings.at(0), "leave one CPU out"));
    config.cores = {0, 1, 2};
    CHECK(plan_of(config).warnings.empty());
}

}  // namespace
}  // namespace latmon
