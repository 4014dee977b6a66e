// SPDX-License-Identifier: Apache-2.0
//
// See thread_setup.hpp.
#include "daemon/thread_setup.hpp"

#include "base/log.hpp"
#include "base/time.hpp"
#include "reactor/socket.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <algorithm>
#include <cerrno>
#include <thread>

namespace latmon {
namespace {

constexpr Duration bind_pause = Duration::from_ms(10);

std::string describe(const ListenerPlan& listener) {
    return to_string(listener.endpoint) + (listener.is_tcp ? " (TCP)" : " (UDP)");
}

// Zero, or the errno value of the failure.
int try_bind(const ListenerPlan& listener) {
    const SocketOptions options{.local = listener.endpoint,
                                .is_ipv6 = !is_ipv4(listener.endpoint.address),
                                .is_reflector = true};
    const Outcome<Fd> fd = listener.is_tcp ? open_tcp_listener(options) : open_udp_socket(options);
    return fd ? 0 : fd.error();
}

int bind_with_retries(const ListenerPlan& listener) {
    const OsClock clock;
    const Instant give_up = clock.now() + Duration{limits::bind_retry_ns};
    int error_number = try_bind(listener);
    while (error_number == EADDRINUSE && listener.is_required && clock.now() < give_up) {
        std::this_thread::sleep_for(std::chrono::nanoseconds(bind_pause.ns));
        error_number = try_bind(listener);
    }
    return error_number;
}

std::unexpected<Error> fail_bind(const ListenerPlan& listener, int error_number) {
    std::string text = "cannot listen on " + describe(listener);
    switch (error_number) {
        case EADDRINUSE:
            text += ": another process has the port; stop it or choose another port";
            break;
        case EACCES:
            text +=
                ": ports below 1024 need CAP_NET_BIND_SERVICE; choose a higher port or run "
                "'setcap cap_net_bind_service+ep' on latmon";
            break;
        case EADDRNOTAVAIL:
            text += ": this host does not have the address";
            break;
        default:
            text += ": check `address` and the ports in the configuration";
            break;
    }
    return fail_errno(ExitCode::permission, text, error_number);
}

}  // namespace

std::vector<std::uint32_t> available_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<std::uint32_t> cpus;
    if (::sched_getaffinity(0, sizeof(set), &set) == 0) {
        for (std::uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
            if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
        }
    }
    if (cpus.empty()) cpus.push_back(0);
    return cpus;
}

bool pin_thread(std::uint32_t cpu) noexcept {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return ::pthread_setaffinity_np(::pthread_self(), sizeof(set), &set) == 0;
}

void name_thread(const std::string& name) noexcept {
    ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
}

std::uint64_t sockets_needed(const CorePlan& core_plan, std::size_t listener_count) {
    std::uint64_t count = listener_count + limits::tcp_sessions_per_core;
    for (const ProbePlan& probe : core_plan.probes)
        count += sockets_of(probe);
    return count;
}

Result<void> raise_file_limit(std::uint64_t needed) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= needed) return {};
    const rlim_t hard = limit.rlim_max;
    limit.rlim_cur = needed;
    limit.rlim_max = std::max<rlim_t>(limit.rlim_max, needed);
    if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return {};
    return fail(ExitCode::permission, "this configuration needs up to " + std::to_string(needed) +
                                          " open files, but the limit is " + std::to_string(hard) +
                                          ": raise it with 'ulimit -n " + std::to_string(needed) +
                                          "' or LimitNOFILE=" + std::to_string(needed));
}

std::uint64_t raise_file_limit_towards(std::uint64_t wanted) noexcept {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= wanted) return limit.rlim_cur;
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

Result<std::vector<ListenerPlan>> available_listeners(const Plan& plan) {
    std::vector<ListenerPlan> available;
    for (const ListenerPlan& listener : plan.listeners) {
        const int error_number = bind_with_retries(listener);
        if (error_number == 0) {
            available.push_back(listener);
        } else if (listener.is_required) {
            return fail_bind(listener, error_number);
        } else {
            log::info("not listening on " + describe(listener) +
                      ", which is optional: " + fail_bind(listener, error_number).error().text);
        }
    }
    return available;
}

}  // namespace latmon
