// SPDX-License-Identifier: Apache-2.0
//
// Claims about what a plan says of packets: by the text of a file, through make_plan().
#include "config/plan_packet.hpp"

#include "unit/config/config_text.hpp"

#include <array>

namespace latmon {
namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view new_shape = "[[exporters]]\nplugin = \"cli\"\n";

// The plan of a file of the new shape: `top`, then [[targets]] with `target`.
Plan plan_of(const std::string& top, const std::string& target = "") {
    const std::array<std::uint32_t, 2> cpus{0, 1};
    const Config config =
        config_of(top + "\n[[targets]]\nhost = \"a\"\n" + target + "\n" + std::string(new_shape));
    const Result<Plan> plan = make_plan(config, cpus);
    if (!plan) FAIL(plan.error().text);
    return *plan;
}

// UDP, TCP, handshake.
std::vector<ProbePlan> probes_of(const std::string& top, const std::string& target = "") {
    std::vector<ProbePlan> probes = plan_of(top, target).cores.at(0).probes;
    REQUIRE(probes.size() == 3);
    return probes;
}

TEST_CASE("plan_packet: without a word probes have the usual TLVs and no key") {
    const std::vector<ProbePlan> probes = probes_of("");
    for (const ProbePlan& probe : {probes[0], probes[1]}) {
        CHECK(probe.size_bytes == 100);
        CHECK(probe.protocol == ProbeProtocol::automatic);
        CHECK_FALSE(probe.is_ancestor_first);
        CHECK(probe.ssid != 0);
        CHECK(probe.tlvs == tlvs_default);
        CHECK(probe.key_index == -1);
        CHECK(probe.sends_descriptor);
        CHECK(probe.waits_for_follow_up);
        CHECK(probe.drift_ppb == 600'000);
        CHECK(probe.clock_report_interval == Duration::from_s(10));
    }
}

TEST_CASE("plan_packet: our name and the target's tags are there to be told, if they are to be") {
    const std::string tags = "tags = [\"site:home\", \"rack:2\"]";
    const ProbePlan probe = probes_of("name = \"web1\"", tags).at(0);
    CHECK(probe.node_name == "web1");
    CHECK(probe.tags == Texts{"site:home", "rack:2"});
    const ProbePlan silent = probes_of("name = \"web1\"\ndescriptor = false", tags).at(0);
    CHECK(silent.node_name.empty());
    CHECK(silent.tags.empty());
}

TEST_CASE("plan_packet: a handshake sends nothing") {
    const ProbePlan probe = probes_of("key_file = \"/k\"").at(2);
    CHECK(probe.kind == ProbeKind::tcp_connect);
    CHECK(probe.size_bytes == 0);
    CHECK(probe.tlvs == 0);
    CHECK(probe.key_index == -1);
    CHECK_FALSE(probe.sends_descriptor);
    CHECK_FALSE(probe.waits_for_follow_up);
    CHECK(probe.clock_report_interval == Duration{});
}

TEST_CASE("plan_packet: what a target says of packets arrives at UDP and TCP alike") {
    const std::vector<ProbePlan> probes =
        probes_of("[clock]\ndrift_ppm = 50",
                  "timestamp_format = \"ptp\"\ntlvs = [\"location\"]\ntrust_clock = "
                  "true\nlenient_echo = true\n"
                  "descriptor = false\nreflector_mode = \"stateful\"\non_ssid_zero = \"stop\"\n");
    for (const ProbePlan& probe : {probes[0], probes[1]}) {
        CHECK(probe.timestamp_format == TimestampFormat::ptp);
        CHECK(probe.tlvs == tlv_location_bit);
        CHECK(probe.size_bytes == 92);
        CHECK(probe.trust_clock);
        CHECK(probe.lenient_echo);
        CHECK_FALSE(probe.sends_descriptor);
        CHECK(probe.reflector_mode == ReflectorMode::stateful);
        CHECK(probe.on_ssid_zero == OnSsidZero::stop);
        CHECK(probe.drift_ppb == 50'000);
    }
}

TEST_CASE("plan_packet: TWAMP-Light is for UDP alone and has neither session id nor TLVs") {
    const std::vector<ProbePlan> probes = probes_of("protocol = \"twamp-light\"");
    CHECK(probes[0].protocol == ProbeProtocol::twamp_light);
    CHECK(probes[0].ssid == 0);
    CHECK(probes[0].size_bytes == 44);
    CHECK(probes[0].tlvs == 0);
    CHECK_FALSE(probes[0].sends_descriptor);
    CHECK_FALSE(probes[0].waits_for_follow_up);
    CHECK(probes[0].clock_report_interval == Duration::from_s(10));
    CHECK(probes[1].protocol == ProbeProtocol::stamp);
    CHECK(probes[1].ssid == 2);
    CHECK(probes[1].size_bytes == 100);
    CHECK(probes[1].tlvs == tlvs_default);
    const std::vector<ProbePlan> small = probes_of("protocol = \"twamp-light\"\nsize = 14");
    CHECK(small[0].size_bytes == 14);
    CHECK(small[1].size_bytes == 44);
    CHECK(small[1].tlvs == 0);
}

TEST_CASE("plan_packet: in the ancestor's shape of a file its format comes first, if any may") {
    const std::array<std::uint32_t, 1> cpus{0};
    const auto first_of = [&](const char* top) {
        const Config config = config_of(std::string(top) + "\n[[targets]]\nhost = \"a\"\n");
        return make_plan(config, cpus)->cores.at(0).probes.at(0);
    };
    CHECK(first_of("").is_ancestor_first);
    CHECK(first_of("").protocol == ProbeProtocol::automatic);
    CHECK_FALSE(first_of("protocol = \"stamp\"").is_ancestor_first);
    CHECK_FALSE(first_of("protocol = \"latency-monitor\"").is_ancestor_first);
    CHECK_FALSE(first_of("key_file = \"/k\"").is_ancestor_first);
}

TEST_CASE("plan_packet: who has a key, or tells no name, gets STAMP alone") {
    for (const char* key : {"key_file = \"/k\"", "descriptor = false"}) {
        for (const ProbeKind kind : {ProbeKind::udp, ProbeKind::tcp}) {
            const ProbePlan probe = probes_of(key).at(kind == ProbeKind::udp ? 0 : 1);
            CHECK(probe.kind == kind);
            CHECK(probe.protocol == ProbeProtocol::stamp);
        }
    }
    // It cannot be spoken without.
    const ProbePlan named =
        probes_of("name = \"web1\"\nprotocol = \"latency-monitor\"\ndescriptor = false").at(0);
    CHECK(named.node_name == "web1");
}

TEST_CASE("plan_packet: the ancestor's format has neither session id nor TLVs, over TCP neither") {
    const std::vector<ProbePlan> probes =
        probes_of("protocol = \"latency-monitor\"", "tags = [\"a:b\"]");
    for (const ProbePlan& probe : {probes[0], probes[1]}) {
        CHECK(probe.protocol == ProbeProtocol::ancestor);
        CHECK(probe.ssid == 0);
        CHECK(probe.size_bytes == 0);
        CHECK(probe.tlvs == 0);
        CHECK_FALSE(probe.sends_descriptor);
        CHECK_FALSE(probe.waits_for_follow_up);
        CHECK(probe.tags == Texts{"a:b"});
    }
    CHECK(probes_of("protocol = \"latency-monitor\"\nsize = 20").at(0).size_bytes == 20);
}

TEST_CASE("plan_packet: a timeout that the ancestor's numbers do not last is told") {
    const std::string top = "protocol = \"latency-monitor\"\ninterval = 5\n";
    const std::vector<std::string> warnings = plan_of(top + "timeout = 0.6").warnings;
    REQUIRE(warnings.size() == 1);
    CHECK(contains(warnings[0],
                   "target \"a\": UDP probes are given up after 0.5 s and not after "
                   "0.6 s"));
    CHECK(plan_of(top + "timeout = 0.5").warnings.empty());
    CHECK(plan_of(top + "timeout = 0.6\nudp = false").warnings.empty());
    CHECK(plan_of("interval = 5\ntimeout = 0.6").warnings.empty());
}

TEST_CASE("plan_packet: a set size is kept, and decides which TLVs are sent") {
    const ProbePlan probe = probes_of("size = 70").at(0);
    CHECK(probe.size_bytes == 70);
    CHECK(probe.tlvs == (tlv_exchange_bit));
    CHECK_FALSE(probe.waits_for_follow_up);
    CHECK(probes_of("size = 1470").at(0).tlvs == tlvs_default);
}

TEST_CASE("plan_packet: key files are numbered once each, the reflector's behind the targets'") {
    const Plan plan = plan_of("key_file = \"/a\"", R"(
[[targets]]
host = "b"
key_file = "/b"
[[targets]]
host = "c"
[[targets]]
host = "d"
key_file = ""
[[targets]]
host = "e"
key_file = "/unused"
[reflector]
[[reflector.keys]]
prefixes = "::1"
key_file = "/b"
[[reflector.keys]]
prefixes = "::2"
key_file = "/c"
)");
    CHECK(plan.key_files == Texts{"/a", "/b", "/unused", "/c"});
    CHECK(plan.reflector_keys == std::vector<std::int32_t>{1, 3});
    std::vector<std::int32_t> indices;
    for (const ProbePlan& probe : plan.cores.at(0).probes) {
        indices.push_back(probe.key_index);
    }
    CHECK(indices == std::vector<std::int32_t>{0, 0, -1, 1, 1, -1, 0, 0, -1, -1, -1, -1, 2, 2, -1});
    CHECK(plan.cores[0].probes[0].size_bytes == 188);
}

TEST_CASE("plan_packet: a key that no probe uses is not asked for") {
    CHECK(plan_of("key_file = \"/a\"\nudp = false\ntcp = false").key_files.empty());
}

TEST_CASE("plan_packet: a follow-up is waited for at intervals of up to 2 s, of a stateful peer") {
    CHECK(probes_of("interval = 2000").at(1).waits_for_follow_up);
    CHECK_FALSE(probes_of("interval = 2000.001").at(0).waits_for_follow_up);
    CHECK_FALSE(probes_of("tlvs = [\"exchange\"]").at(0).waits_for_follow_up);
    CHECK_FALSE(probes_of("reflector_mode = \"stateless\"").at(0).waits_for_follow_up);
}

TEST_CASE("plan_packet: clocks are reported as often as the node, at most once a probe") {
    CHECK(probes_of("node_interval = 5").at(0).clock_report_interval == Duration::from_s(5));
    CHECK(probes_of("interval = 30000").at(1).clock_report_interval == Duration::from_s(30));
    CHECK(probes_of("node_interval = 0").at(0).clock_report_interval == Duration{});
    CHECK(probes_of("[clock]\nseries = false").at(0).clock_report_interval == Duration{});
}

TEST_CASE("plan_packet: clock and stamps are the plan's too") {
    const Plan plan = plan_of("stamps = \"user\"\n[clock]\ntrust = \"none\"\nchrony = \"\"");
    CHECK(plan.stamps == StampPolicy::user);
    CHECK(plan.clock.trust == ClockTrust::none);
    CHECK(plan.clock.chrony.empty());
}

}  // namespace
}  // namespace latmon
