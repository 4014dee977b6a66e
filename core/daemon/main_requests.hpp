// SPDX-License-Identifier: Apache-2.0
//
// Asks the main-thread to do one certain thing, such as to load the configuration anew, from any
// other thread, and brings its answer. All that ask while it is busy are answered by the next time
// it does it, which is once.
#pragma once

#include "base/error.hpp"
#include "base/fd.hpp"

#include <future>
#include <mutex>
#include <vector>

namespace latmon {

class MainRequests {
public:
    MainRequests();

    // The outcome of what begins after this. [any-thread]
    [[nodiscard]] std::future<Result<void>> ask();

    // Becomes readable when somebody has asked. [main-thread]
    [[nodiscard]] int ready_fd() const noexcept { return ready_fd_.get(); }
    // Those who have asked so far. [main-thread]
    [[nodiscard]] std::vector<std::promise<Result<void>>> take();
    // Nobody is answered any more but by `error`. [main-thread]
    void close(const Error& error);

private:
    const Fd ready_fd_;
    std::mutex mutex_;
    std::vector<std::promise<Result<void>>> asked_;
    bool is_closed_ = false;
    Error closed_error_;
};

}  // namespace latmon
