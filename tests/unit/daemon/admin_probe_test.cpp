// SPDX-License-Identifier: Apache-2.0
//
// Claims about probes on request that need no network; tests/system/admin.py has the others.
#include "daemon/admin_probe.hpp"

#include "base/limits.hpp"

#include <doctest/doctest.h>
#include <optional>

namespace latmon {
namespace {

ProbeModuleConfig module_of_100_ms() {
    ProbeModuleConfig module;
    module.interval = Duration::from_ms(100);
    module.timeout = Duration::from_s(1);
    return module;
}

TEST_CASE("admin_probe: all probes are sent if there is time, and each is waited for") {
    const ProbeShare share = fit_probes(module_of_100_ms(), 5, Duration::from_ms(1'400));
    CHECK(share.count == 5);
    CHECK(share.timeout == Duration::from_s(1));
}

TEST_CASE("admin_probe: fewer probes before less patience, and never none") {
    const ProbeModuleConfig module = module_of_100_ms();
    CHECK(fit_probes(module, 5, Duration::from_ms(1'399)).count == 4);
    CHECK(fit_probes(module, 5, Duration::from_ms(1'000)).count == 1);
    CHECK(fit_probes(module, 5, Duration::from_ms(300)).count == 1);
    CHECK(fit_probes(module, 5, Duration::from_ms(300)).timeout == Duration::from_ms(300));
    CHECK(fit_probes(module, 5, Duration::from_ms(-300)).count == 1);
    CHECK(fit_probes(module, 5, Duration{}).timeout == Duration{limits::timeout_ns_min});
}

ProbeOutcome outcome_of(AdminProbes& probes, const std::string& module) {
    std::optional<ProbeOutcome> outcome;
    probes.probe({.target = "127.0.0.1:1", .module = module, .count = {}, .budget = {}},
                 [&](ProbeOutcome came) { outcome = std::move(came); });
    return outcome.value_or(ProbeOutcome{});
}

TEST_CASE("admin_probe: an unknown module is told which there are, the operator's first") {
    AdminConfig config;
    config.modules.push_back({.name = "voice", .where = {}});
    const auto probes = AdminProbes::open(config);
    REQUIRE(probes.has_value());
    const ProbeOutcome outcome = outcome_of(**probes, "vioce");
    CHECK(outcome.refusal_status == 400);
    CHECK(outcome.refusal ==
          "there is no module \"vioce\"; write one of voice, udp, tcp, tcp_connect");
}

TEST_CASE("admin_probe: no more run at once than may") {
    AdminConfig config;
    config.probes_max = 1;
    const auto probes = AdminProbes::open(config);  // Not started: what is begun stays.
    REQUIRE(probes.has_value());
    CHECK(outcome_of(**probes, "udp").refusal_status == 0);
    CHECK(outcome_of(**probes, "udp").refusal_status == 503);
    CHECK((*probes)->stop(Duration::from_s(1)));
    CHECK(AdminProbes::fds_needed(config) == 0);
    config.can_probe = true;
    CHECK(AdminProbes::fds_needed(config) > 0);
}

TEST_CASE("admin_probe: a module that no probe can be made of is an error of the configuration") {
    AdminConfig config;
    config.modules.push_back({.name = "tiny", .size_bytes = 10, .where = {}});
    const auto probes = AdminProbes::open(config);
    REQUIRE_FALSE(probes.has_value());
    CHECK(probes.error().code == ExitCode::configuration);
    CHECK(probes.error().text.starts_with("[[admin.modules]] \"tiny\": size: 10 octets"));
}

}  // namespace
}  // namespace latmon
