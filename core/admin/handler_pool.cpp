// SPDX-License-Identifier: Apache-2.0
//
// See handler_pool.hpp.
#include "admin/handler_pool.hpp"

#include "base/background_thread.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace latmon {

struct HandlerPool::Shared {
    explicit Shared(std::uint32_t most) : waiting_max(most) {}

    // Nothing if there is no more to do, ever.
    [[nodiscard]] std::function<void()> take();
    void run();

    struct Worker {
        std::thread thread;
        std::future<void> has_ended;
    };

    const std::uint32_t waiting_max;
    std::mutex mutex;
    std::condition_variable has_work;
    std::deque<std::function<void()>> waiting;  // Guarded by `mutex`.
    bool is_stopping = false;                   // Guarded by `mutex`.
    std::vector<Worker> workers;                // The main-thread's.
};

std::function<void()> HandlerPool::Shared::take() {
    std::unique_lock<std::mutex> lock(mutex);
    has_work.wait(lock, [this] { return is_stopping || !waiting.empty(); });
    if (is_stopping) return {};
    std::function<void()> task = std::move(waiting.front());
    waiting.pop_front();
    return task;
}

void HandlerPool::Shared::run() {
    while (const std::function<void()> task = take()) {
        try {
            task();
        } catch (const std::exception& error) {
            log::error(std::string("admin: a request was given up: ") + error.what());
        }
    }
}

HandlerPool::HandlerPool(std::string name, std::uint32_t waiting_max)
    : name_(std::move(name)), shared_(std::make_shared<Shared>(waiting_max)) {}

HandlerPool::~HandlerPool() {
    for (Shared::Worker& worker : shared_->workers) {
        if (worker.thread.joinable()) worker.thread.detach();
    }
}

void HandlerPool::start(std::uint32_t thread_count, std::span<const std::uint32_t> core_cpus) {
    for (std::uint32_t index = 0; index < thread_count; ++index) {
        auto ended = std::make_shared<std::promise<void>>();
        Shared::Worker worker;
        worker.has_ended = ended->get_future();
        worker.thread = start_background_thread({.name = name_ + std::to_string(index),
                                                 .core_cpus = {core_cpus.begin(), core_cpus.end()},
                                                 .nice = 0},
                                                [shared = shared_, ended] {
                                                    shared->run();
                                                    ended->set_value();
                                                });
        shared_->workers.push_back(std::move(worker));
    }
}

bool HandlerPool::submit(std::function<void()> task) {
    {
        const std::lock_guard<std::mutex> lock(shared_->mutex);
        if (shared_->is_stopping || shared_->waiting.size() >= shared_->waiting_max) return false;
        shared_->waiting.push_back(std::move(task));
    }
    shared_->has_work.notify_one();
    return true;
}

bool HandlerPool::stop(Duration grace) {
    std::deque<std::function<void()>> dropped;  // Goes without the lock: what it holds may answer.
    {
        const std::lock_guard<std::mutex> lock(shared_->mutex);
        shared_->is_stopping = true;
        dropped.swap(shared_->waiting);
    }
    shared_->has_work.notify_all();
    const OsClock clock;
    const Instant give_up = clock.now() + grace;
    bool have_all_ended = true;
    for (Shared::Worker& worker : shared_->workers) {
        if (!worker.thread.joinable()) continue;
        const Duration left = std::max(give_up - clock.now(), Duration{});
        const std::future_status status =
            worker.has_ended.wait_for(std::chrono::nanoseconds(left.ns));
        if (status == std::future_status::ready) {
            worker.thread.join();
        } else {
            have_all_ended = false;
        }
    }
    return have_all_ended;
}

}  // namespace latmon
