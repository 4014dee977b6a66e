// SPDX-License-Identifier: Apache-2.0
//
// See process.hpp.
#include "loadgen/process.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>

namespace latmon::loadgen {
namespace {

// Standard streams, epoll, the resolver's, and what libraries open.
constexpr std::uint64_t descriptors_of_our_own = 32;

std::atomic<bool> stop_flag = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may set it");

void on_signal(int) {
    stop_flag.store(true, std::memory_order_relaxed);
}

}  // namespace

void catch_stop_signals() noexcept {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

bool stop_requested() noexcept {
    return stop_flag.load(std::memory_order_relaxed);
}

Result<void> reserve_descriptors(std::uint64_t count) {
    const std::uint64_t need = count + descriptors_of_our_own;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return fail_errno(ExitCode::failure, "the limit on open files cannot be read", errno);
    }
    if (limit.rlim_cur >= need) return {};
    if (limit.rlim_max < need) {
        return fail(ExitCode::failure,
                    fmt::format("{} open files are needed and {} allowed (hard limit); raise it "
                                "with `ulimit -Hn {}` as root, or ask for less",
                                need, limit.rlim_max, need));
    }
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return fail_errno(ExitCode::failure,
                          fmt::format("the limit on open files cannot be raised to {}; {} are "
                                      "needed",
                                      limit.rlim_max, need),
                          errno);
    }
    return {};
}

void refuse_timer_slack() noexcept {
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

Result<void> pin_to_cpu(std::uint32_t cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
    if (::sched_setaffinity(0, sizeof(set), &set) == 0) return {};
    return fail_errno(
        ExitCode::usage,
        fmt::format("--cpu {} cannot be used; `nproc` and taskset(1) tell which can", cpu), errno);
}

Duration cpu_time() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return Duration::from_s(time.tv_sec) + Duration{time.tv_nsec};
}

void sleep_until(Instant deadline) noexcept {
    const timespec until{.tv_sec = deadline.ns / 1'000'000'000,
                         .tv_nsec = deadline.ns % 1'000'000'000};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

}  // namespace latmon::loadgen
