// SPDX-License-Identifier: Apache-2.0
//
// What is asked of the kernel at start: CPUs, descriptors, ports.
#include "daemon/thread_setup.hpp"

#include "reactor/socket.hpp"

#include <doctest/doctest.h>
#include <algorithm>

namespace latmon {
namespace {

Plan plan_listening_on(std::uint16_t port, bool is_required) {
    Plan plan;
    for (const bool is_tcp : {false, true}) {
        plan.listeners.push_back({.is_tcp = is_tcp,
                                  .endpoint = *parse_endpoint("127.0.0.1", port),
                                  .is_required = is_required});
    }
    return plan;
}

// A port that nobody has, of either protocol.
std::uint16_t free_port() {
    for (std::uint16_t port = 21'000; port < 22'000; ++port) {
        const SocketOptions options{.local = *parse_endpoint("127.0.0.1", port)};
        if (open_udp_socket(options) && open_tcp_listener(options)) return port;
    }
    return 0;
}

}  // namespace

TEST_CASE("thread_setup: the CPUs at hand are at least one, in order") {
    const std::vector<std::uint32_t> cpus = available_cpus();
    REQUIRE(!cpus.empty());
    CHECK(std::is_sorted(cpus.begin(), cpus.end()));
    CHECK(pin_thread(cpus.front()));
    CHECK(!pin_thread(limits::cores_max - 1));
}

TEST_CASE("thread_setup: a connect probe needs as many sockets as handshakes may hang") {
    CorePlan core;
    ProbePlan connect;
    connect.kind = ProbeKind::tcp_connect;
    connect.interval = Duration::from_ms(100);
    connect.timeout = Duration::from_s(1);
    core.probes = {connect};
    CHECK(sockets_needed(core, 3) == 3 + limits::tcp_sessions_per_core + 12);
    core.probes[0].interval = Duration{limits::interval_ns_min};
    core.probes[0].timeout = Duration::from_s(60);
    CHECK(sockets_needed(core, 0) ==
          limits::tcp_sessions_per_core + limits::connects_in_flight_max);
}

TEST_CASE(
    "thread_setup: a port that somebody has is an error if it is needed, and left out if not") {
    const std::uint16_t port = free_port();
    REQUIRE(port != 0);
    CHECK(available_listeners(plan_listening_on(port, true))->size() == 2);
    const Outcome<Fd> taken = open_udp_socket(
        {.local = *parse_endpoint("127.0.0.1", port), .is_shared = true, .is_reflector = true});
    REQUIRE(taken.has_value());
    const Result<std::vector<ListenerPlan>> left =
        available_listeners(plan_listening_on(port, false));
    REQUIRE(left.has_value());
    REQUIRE(left->size() == 1);
    CHECK(left->front().is_tcp);
    const Result<std::vector<ListenerPlan>> refused =
        available_listeners(plan_listening_on(port, true));
    REQUIRE(!refused.has_value());
    CHECK(refused.error().code == ExitCode::permission);
    CHECK(refused.error().text.find(std::to_string(port) + " (UDP)") != std::string::npos);
}

}  // namespace latmon
