// SPDX-License-Identifier: Apache-2.0
//
// Claims about proofs by packets, on the one interface that every host has.
#include "daemon/stamp_proof.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

Plan plan_to(const std::string& address, std::uint16_t port) {
    ProbePlan probe;
    probe.address = parse_endpoint(address, port);
    Plan plan;
    plan.cores.push_back({.cpu = 0, .probes = {probe}});
    return plan;
}

TEST_CASE("stamp_proof: loopback is proved whatever the plan, and has no card") {
    const std::vector<StampVerdict> verdicts = prove_stamps(Plan{});
    REQUIRE(verdicts.size() == 1);
    CHECK(verdicts[0].interface == "lo");
    CHECK(verdicts[0].send_error == 0);
    // That it was tried; what the kernel under this test does is its own affair.
    CHECK(verdicts[0].tx != StampProof::no_packet);
    CHECK(verdicts[0].rx != StampProof::no_packet);
    CHECK_FALSE(verdicts[0].can_hardware);
    CHECK_FALSE(verdicts[0].hardware_fault.empty());
}

TEST_CASE("stamp_proof: what leads to ourselves is loopback, and proved once") {
    for (const char* address : {"127.0.0.1", "127.8.8.8"}) {
        CAPTURE(address);
        const Plan plan = plan_to(address, 9);
        const ProbePlan& probe = plan.cores[0].probes[0];
        CHECK(interface_towards(probe, *probe.address) == "lo");
        CHECK(prove_stamps(plan).size() == 1);
    }
}

TEST_CASE("stamp_proof: a target without an address is left out") {
    Plan plan = plan_to("127.0.0.1", 9);
    plan.cores[0].probes[0].address.reset();
    CHECK(prove_stamps(plan).size() == 1);
}

TEST_CASE("stamp_proof: an interface that is not there is told, not left out") {
    // Of TEST-NET-1, RFC 5737: no host's own.
    Plan plan = plan_to("192.0.2.77", 862);
    plan.cores[0].probes[0].interface = "nowhere0";
    const std::vector<StampVerdict> verdicts = prove_stamps(plan);
    REQUIRE(verdicts.size() == 2);
    CHECK(verdicts[1].interface == "nowhere0");
    CHECK(verdicts[1].send_error != 0);
    CHECK(verdicts[1].tx == StampProof::no_packet);
    CHECK(verdicts[1].hardware_fault.find("nowhere0") != std::string::npos);
}

TEST_CASE("stamp_proof: behind an interface nothing but handshakes, nothing is sent") {
    Plan plan = plan_to("192.0.2.77", 443);
    plan.cores[0].probes[0].interface = "nowhere0";
    plan.cores[0].probes[0].kind = ProbeKind::tcp_connect;
    const std::vector<StampVerdict> verdicts = prove_stamps(plan);
    REQUIRE(verdicts.size() == 2);
    CHECK(verdicts[1].send_error == 0);
    CHECK(verdicts[1].tx == StampProof::no_packet);
}

}  // namespace
}  // namespace latmon
