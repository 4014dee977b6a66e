// SPDX-License-Identifier: Apache-2.0
//
// A file descriptor that somebody owns and that is closed exactly once. Any thread, one at a time;
// knows nothing of what the descriptor stands for.
#pragma once

#include <unistd.h>
#include <utility>

namespace latmon {

class Fd {
public:
    Fd() noexcept = default;
    explicit Fd(int number) noexcept : number_(number) {}
    Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            number_ = std::exchange(other.number_, -1);
        }
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    [[nodiscard]] int get() const noexcept { return number_; }
    [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }

    // Gives the descriptor away; the caller closes it.
    [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }

    void reset() noexcept {
        if (number_ >= 0) ::close(number_);
        number_ = -1;
    }

private:
    int number_ = -1;  // -1: none.
};

}  // namespace latmon
