// SPDX-License-Identifier: Apache-2.0
//
// See background_thread.hpp. A refusal of the kernel's is not worth stopping for: the thread then
// runs where it is.
#include "base/background_thread.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>
#include <csignal>
#include <utility>

namespace latmon {
namespace {

// Blocks every signal while it lives: a thread made meanwhile starts, and stays, without any.
class SignalsBlocked {
public:
    SignalsBlocked() noexcept {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t before_{};
};

// On Linux the nice value is a thread's own, sched(7).
void stand_back(int nice) noexcept {
    if (nice == 0) return;
    const auto thread = static_cast<id_t>(::gettid());
    ::setpriority(PRIO_PROCESS, thread, ::getpriority(PRIO_PROCESS, thread) + nice);
}

}  // namespace

std::thread start_background_thread(const BackgroundThread& options, std::function<void()> body) {
    const SignalsBlocked blocked;
    return std::thread([options, body = std::move(body)] {
        ::pthread_setname_np(::pthread_self(), options.name.substr(0, 15).c_str());
        keep_off_cores(options.core_cpus);
        stand_back(options.nice);
        body();
    });
}

void keep_off_cores(std::span<const std::uint32_t> core_cpus) noexcept {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    if (::sched_getaffinity(0, sizeof(cpus), &cpus) != 0) return;
    for (const std::uint32_t cpu : core_cpus) {
        if (cpu < CPU_SETSIZE) CPU_CLR(cpu, &cpus);
    }
    if (CPU_COUNT(&cpus) == 0) return;
    ::pthread_setaffinity_np(::pthread_self(), sizeof(cpus), &cpus);
}

}  // namespace latmon
