// SPDX-License-Identifier: Apache-2.0
//
// Claims about how a ping's host is read and what its probe becomes.
#include "daemon/ping_plan.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

std::string split_error(std::string_view text) {
    const Result<HostAndPort> host = split_host(text);
    if (host) return "";
    CHECK(host.error().code == ExitCode::usage);
    return host.error().text;
}

PingOptions options_to(const std::string& host) {
    PingOptions options;
    options.host = host;
    return options;
}

ProbePlan probe_of(const PingOptions& options, const std::string& address) {
    const Result<Plan> plan = make_ping_plan(options, *parse_endpoint(address, 862), 3);
    if (!plan) FAIL(plan.error().text);
    REQUIRE(plan->cores.size() == 1);
    REQUIRE(plan->cores[0].probes.size() == 1);
    CHECK(plan->cores[0].cpu == 3);
    CHECK(plan->listeners.empty());
    CHECK(plan->exporters.empty());
    CHECK(plan->warnings.empty());
    CHECK(plan->node_interval == Duration{});
    return plan->cores[0].probes[0];
}

TEST_CASE("ping_plan: a host or port that is none is told, with what to write instead") {
    CHECK(split_host("router:4000")->port == 4'000);
    CHECK(split_error("[::1") == "\"[::1\" is no address; write [ADDRESS]:PORT");
    CHECK(split_error(":862") == "the host is empty; write an address or a name");
    CHECK(split_error("router:65536") == "\"65536\" does not fit; write a port from 1 to 65535");
    CHECK(split_error("[::1]:x").starts_with("\"x\" does not fit"));
}

TEST_CASE("ping_plan: the probe begins at once, keeps its socket, and tells nobody our name") {
    const ProbePlan probe = probe_of(options_to("router"), "192.0.2.1");
    CHECK(probe.kind == ProbeKind::udp);
    CHECK(probe.phase == Duration{});
    CHECK(probe.jitter == Duration{});
    CHECK(probe.max_lost == 1'000'000);
    CHECK_FALSE(probe.sends_descriptor);
    CHECK(probe.address == parse_endpoint("192.0.2.1", 862));
    CHECK(probe.port == 862);
    CHECK(probe.tlvs == tlvs_default);
    CHECK(probe.size_bytes == 100);
    CHECK(probe.interval == Duration::from_s(1));
    CHECK(probe.timeout == Duration::from_s(1));
}

TEST_CASE("ping_plan: what is asked for is what is sent") {
    PingOptions options = options_to("router");
    options.size_bytes = 200;
    options.dscp = 46;
    options.interface = "eth7";
    options.source = "2001:db8::9";
    options.key_file = "/key";
    options.timestamp_format = TimestampFormat::ptp;
    const ProbePlan probe = probe_of(options, "2001:db8::1");
    CHECK(probe.size_bytes == 200);
    CHECK(probe.dscp == 46);
    CHECK(probe.interface == "eth7");
    CHECK(probe.source == parse_endpoint("2001:db8::9", 0));
    CHECK(probe.key_index == 0);
    CHECK(probe.timestamp_format == TimestampFormat::ptp);

    options = options_to("router");
    options.is_tcp = true;
    CHECK(probe_of(options, "192.0.2.1").kind == ProbeKind::tcp);

    options = options_to("router");
    options.protocol = ProbeProtocol::twamp_light;
    const ProbePlan light = probe_of(options, "192.0.2.1");
    CHECK(light.protocol == ProbeProtocol::twamp_light);
    CHECK(light.ssid == 0);
    CHECK(light.size_bytes == 44);
}

TEST_CASE("ping_plan: what does not go together is refused with the cure") {
    PingOptions options = options_to("router");
    options.size_bytes = 43;
    CHECK(fault_of(options).find("takes 44 to 65507") != std::string::npos);
    options.key_file = "/key";
    options.size_bytes = 111;
    CHECK(fault_of(options).find("takes 112 to") != std::string::npos);
    options = options_to("router");
    options.protocol = ProbeProtocol::twamp_light;
    options.size_bytes = 14;
    CHECK(fault_of(options) == "");
    options.size_bytes = 13;
    CHECK(fault_of(options) != "");
    options.size_bytes = 0;
    options.is_tcp = true;
    CHECK(fault_of(options).find("leave --tcp out") != std::string::npos);
    options.is_tcp = false;
    options.key_file = "/key";
    CHECK(fault_of(options).find("--key-file") != std::string::npos);
    options = options_to("router");
    options.source = "here";
    CHECK(fault_of(options).find("--source") != std::string::npos);
}

TEST_CASE("ping_plan: a source of the other family is refused") {
    PingOptions options = options_to("router");
    options.source = "::1";
    const Result<Plan> plan = make_ping_plan(options, *parse_endpoint("127.0.0.1", 862), 0);
    REQUIRE_FALSE(plan.has_value());
    CHECK(plan.error().code == ExitCode::usage);
    CHECK(plan.error().text.find("IPv4") != std::string::npos);
}

TEST_CASE("ping_plan: more probes in flight than there is room for is a usage error") {
    PingOptions options = options_to("router");
    options.interval = Duration::from_us(100);
    options.timeout = Duration::from_s(60);
    const Result<Plan> plan = make_ping_plan(options, *parse_endpoint("127.0.0.1", 862), 0);
    REQUIRE_FALSE(plan.has_value());
    CHECK(plan.error().code == ExitCode::usage);
}

}  // namespace
}  // namespace latmon
