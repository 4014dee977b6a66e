// SPDX-License-Identifier: Apache-2.0
//
// See ping_watch.hpp.
#include "daemon/ping_watch.hpp"

#include "config/config.hpp"
#include "daemon/thread_setup.hpp"

#include <pthread.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

namespace latmon {
namespace {

// A survey is good for three of these.
constexpr timespec look_interval{.tv_sec = 1, .tv_nsec = 0};

sigset_t stop_signals() noexcept {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    return signals;
}

}  // namespace

void block_stop_signals(bool is_blocked) noexcept {
    const sigset_t signals = stop_signals();
    ::pthread_sigmask(is_blocked ? SIG_BLOCK : SIG_UNBLOCK, &signals, nullptr);
}

PingWatch::PingWatch(Ring& ring, const Clock& clock)
    : ring_(ring),
      clock_(clock),
      survey_({.trust = ClockSurveyOptions::Trust::automatic,
               .operator_error = {},
               .chrony = ClockConfig{}.chrony}),
      first_look_(survey_.look(clock)),
      looks_(4) {}

PingWatch::~PingWatch() {
    if (!thread_.joinable()) return;
    is_stopping_.store(true, std::memory_order_release);
    ::pthread_kill(thread_.native_handle(), SIGHUP);  // Ends its wait; blocked, so nothing else.
    thread_.join();
}

void PingWatch::start() {
    thread_ = std::thread([this] { run(); });
}

std::optional<LocalClock> PingWatch::take_look() {
    std::array<LocalClock, 1> look;
    if (looks_.pop_batch(look) == 0) return std::nullopt;
    return look.front();
}

void PingWatch::run() {
    name_thread("lm-watch");
    const sigset_t signals = stop_signals();
    while (!is_stopping_.load(std::memory_order_acquire)) {
        if (::sigtimedwait(&signals, nullptr, &look_interval) >= 0) {
            signals_.fetch_add(1, std::memory_order_release);
            ring_.wake();
            continue;
        }
        if (errno != EAGAIN) continue;
        // Full: the loop hangs, and has no use for news.
        static_cast<void>(looks_.try_push(survey_.look(clock_)));
    }
}

}  // namespace latmon
