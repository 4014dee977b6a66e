// SPDX-License-Identifier: Apache-2.0
//
// Claims about threads that stay out of the way: each looks at itself.
#include "base/background_thread.hpp"

#include <doctest/doctest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <algorithm>
#include <array>
#include <csignal>
#include <string>

namespace latmon {
namespace {

TEST_CASE("background_thread: has its name, no signals, and stands back") {
    std::string name;
    bool are_blocked = false;
    int nice = 0;
    const int before = ::getpriority(PRIO_PROCESS, 0);
    start_background_thread({.name = "a-name-too-long-for-it", .core_cpus = {}, .nice = 1}, [&] {
        std::array<char, 16> text{};
        ::pthread_getname_np(::pthread_self(), text.data(), text.size());
        name = text.data();
        sigset_t mask;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        are_blocked = ::sigismember(&mask, SIGTERM) == 1 && ::sigismember(&mask, SIGUSR2) == 1;
        nice = ::getpriority(PRIO_PROCESS, 0);
    }).join();
    CHECK(name == "a-name-too-long");
    CHECK(are_blocked);
    CHECK(nice == std::min(before + 1, 19));
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    CHECK(::sigismember(&mask, SIGUSR2) == 0);
}

TEST_CASE("background_thread: keeps off the cores if there is another CPU") {
    cpu_set_t all;
    REQUIRE(::sched_getaffinity(0, sizeof(all), &all) == 0);
    std::vector<std::uint32_t> cpus;
    for (std::uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &all)) cpus.push_back(cpu);
    }
    const auto set_without = [](const std::vector<std::uint32_t>& core_cpus) {
        cpu_set_t set;
        start_background_thread({.name = "t", .core_cpus = core_cpus, .nice = 0}, [&] {
            ::sched_getaffinity(0, sizeof(set), &set);
        }).join();
        return set;
    };
    const cpu_set_t nowhere_to_go = set_without(cpus);
    CHECK(CPU_EQUAL(&nowhere_to_go, &all));
    if (cpus.size() < 2) return;
    const cpu_set_t off = set_without({cpus[0]});
    CHECK_FALSE(CPU_ISSET(cpus[0], &off));
    CHECK(CPU_COUNT(&off) == static_cast<int>(cpus.size()) - 1);
}

}  // namespace
}  // namespace latmon
