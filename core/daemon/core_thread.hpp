// SPDX-License-Identifier: Apache-2.0
//
// One pinned thread around one Core: it opens its io_uring, sets everything up, reports, waits at
// the start barrier, and turns the loop until told to quit. The main-thread talks to it through a
// queue of commands and reads its published counters; nothing else is shared (invariant 1).
#pragma once

#include "base/error.hpp"
#include "daemon/core.hpp"
#include "sample/spsc_queue.hpp"

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

namespace latmon {

class CoreThread {
public:
    // `plan` and `listeners` are read until launch() has returned; `clock` outlives it.
    // [main-thread]
    CoreThread(const Plan& plan, std::span<const ListenerPlan> listeners, const Clock& clock,
               CoreOptions options);
    ~CoreThread();
    CoreThread(const CoreThread&) = delete;
    CoreThread& operator=(const CoreThread&) = delete;

    // Starts the thread and waits until it is set up, or until it says why it cannot be; then it
    // has ended. [main-thread]
    [[nodiscard]] Result<void> launch();

    // Lets it pass the start barrier, and returns when its probes are armed and its reflectors
    // answer. [main-thread]
    void release(Instant origin);

    // Queues a command and wakes the thread. False if the queue is full: try again later.
    // [main-thread]
    [[nodiscard]] bool send(const CoreCommand& command);

    // How many commands were sent; and whether so many have been applied, and everything that they
    // did has happened before. [main-thread]
    [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
    [[nodiscard]] bool has_applied(std::uint64_t commands) const noexcept {
        return applied_.load(std::memory_order_acquire) >= commands;
    }

    // Sockets that may be open at once. [main-thread, after launch()]
    [[nodiscard]] std::uint64_t sockets_max() const noexcept { return sockets_max_; }

    // All that was sent is answered, lost or otherwise done with; after stop_sending. [main-thread]
    [[nodiscard]] bool is_idle() const noexcept { return is_idle_.load(std::memory_order_acquire); }

    // Ends the thread, released or not, and waits for its end. [main-thread]
    void quit();

    [[nodiscard]] std::uint32_t index() const noexcept { return options_.core_index; }
    // The CPU that it is pinned to. [any-thread]
    [[nodiscard]] std::uint32_t cpu() const noexcept { return cpu_; }
    // Its published counters; valid after launch(), also after quit(). [main-thread]
    [[nodiscard]] const Core& core() const noexcept { return *core_; }
    // For what Core lets the main-thread do. [main-thread]
    [[nodiscard]] Core& core() noexcept { return *core_; }

private:
    void run(std::promise<Result<void>> ready);
    [[nodiscard]] Result<void> set_up();
    [[nodiscard]] Result<void> open_listeners();
    void loop() noexcept;

    const Plan& plan_;
    std::span<const ListenerPlan> listeners_;
    const Clock& clock_;
    const CoreOptions options_;
    const std::uint32_t cpu_;
    const Duration turn_;  // The longest, while there is nothing to do.
    std::uint64_t sockets_max_ = 0;
    std::uint64_t sent_ = 0;  // The main-thread's own.
    std::atomic<std::uint64_t> applied_{0};
    SpscQueue<CoreCommand> commands_;
    std::latch start_barrier_{1};
    std::latch has_started_{1};
    Instant origin_{};                  // Written before the barrier, read after it.
    bool is_abandoned_ = false;         // Likewise: end instead of starting.
    bool is_released_ = false;          // The main-thread's own.
    std::atomic<bool> is_idle_{false};  // Written by the core-thread; pairs with is_idle().
    std::unique_ptr<Ring> ring_;  // Made by the core-thread during set-up, which then keeps it.
    std::unique_ptr<Core> core_;
    std::thread thread_;
};

}  // namespace latmon
