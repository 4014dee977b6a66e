// SPDX-License-Identifier: Apache-2.0
//
// See main_requests.hpp.
#include "daemon/main_requests.hpp"

#include <sys/eventfd.h>
#include <unistd.h>
#include <cstdint>
#include <utility>

namespace latmon {

MainRequests::MainRequests() : ready_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

std::future<Result<void>> MainRequests::ask() {
    std::promise<Result<void>> promise;
    std::future<Result<void>> answer = promise.get_future();
    const std::lock_guard lock(mutex_);
    if (is_closed_) {
        promise.set_value(std::unexpected(closed_error_));
        return answer;
    }
    asked_.push_back(std::move(promise));
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(ready_fd_.get(), &one, sizeof(one));
    return answer;
}

std::vector<std::promise<Result<void>>> MainRequests::take() {
    const std::lock_guard lock(mutex_);
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t octets = ::read(ready_fd_.get(), &count, sizeof(count));
    return std::exchange(asked_, {});
}

void MainRequests::close(const Error& error) {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    closed_error_ = error;
    for (std::promise<Result<void>>& promise : std::exchange(asked_, {}))
        promise.set_value(std::unexpected(error));
}

}  // namespace latmon
