// SPDX-License-Identifier: Apache-2.0
//
// A sum of nanoseconds since the start, exactly: one int64 of nanoseconds is full after 292 years
// of summed round trips, which a fast and slow path can reach. Pure; one thread at a time.
#pragma once

#include <cstdint>
#include <string>

namespace latmon::plugins::prometheus {

class TimeSum {
public:
    void add(std::int64_t value_ns) noexcept {
        constexpr std::int64_t second_ns = 1'000'000'000;
        seconds_ += value_ns / second_ns;
        rest_ns_ += value_ns % second_ns;
        if (rest_ns_ < 0) {
            rest_ns_ += second_ns;
            --seconds_;
        } else if (rest_ns_ >= second_ns) {
            rest_ns_ -= second_ns;
            ++seconds_;
        }
    }

    // In seconds, to the nanosecond, without zeros at its end.
    void append_to(std::string& out) const;
    // In seconds, rounded.
    [[nodiscard]] double seconds() const noexcept {
        return static_cast<double>(seconds_) + static_cast<double>(rest_ns_) * 1e-9;
    }

private:
    std::int64_t seconds_ = 0;
    std::int64_t rest_ns_ = 0;  // 0 to 999,999,999, on top of it.
};

}  // namespace latmon::plugins::prometheus
