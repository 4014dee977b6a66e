// SPDX-License-Identifier: Apache-2.0
//
// A few threads that make answers, so that one that takes its time, or a plugin that hangs, does
// not keep the listener from hearing others. What waits for a thread is bounded. It knows nothing
// of HTTP.
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace latmon {

class HandlerPool {
public:
    // At most `waiting_max` tasks wait. `name` is that of the threads, which are numbered.
    HandlerPool(std::string name, std::uint32_t waiting_max);
    // A thread that stop() could not wait for is left behind.
    ~HandlerPool();
    HandlerPool(const HandlerPool&) = delete;
    HandlerPool& operator=(const HandlerPool&) = delete;

    // Tasks that came before wait for this. [main-thread]
    void start(std::uint32_t thread_count, std::span<const std::uint32_t> core_cpus);

    // False if too many wait already, or it was stopped. What a task throws is logged, and no more.
    // [any-thread]
    [[nodiscard]] bool submit(std::function<void()> task);

    // Takes no more tasks, drops those that wait, and waits for those under way, at most for
    // `grace`. False: one does not end, and what it uses must stay; to ask again is allowed.
    // [main-thread]
    [[nodiscard]] bool stop(Duration grace);

private:
    struct Shared;  // Outlives the pool if a thread is left behind.

    const std::string name_;
    std::shared_ptr<Shared> shared_;
};

}  // namespace latmon
