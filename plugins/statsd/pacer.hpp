// SPDX-License-Identifier: Apache-2.0
//
// How fast packets may leave. UDP has no way to say "slower": a receiver whose buffer is full loses
// packets, and nobody is told. Linux gives a socket 208 KiB unless it asks for more, and accounts
// for the memory behind a packet, 2,304 octets for one of 1,432; so no more than `burst_bytes` go
// at once. Pure; one thread at a time.
#pragma once

#include <algorithm>
#include <cstdint>

namespace latmon::plugins::statsd {

class Pacer {
public:
    static constexpr std::int64_t burst_bytes = 32 * 1024;

    // `bytes_per_second` 0: as fast as can be.
    explicit Pacer(std::int64_t bytes_per_second) : bytes_per_second_(bytes_per_second) {}

    // True, and they are accounted for, if `bytes` may go now. `now_ns` never shrinks.
    [[nodiscard]] bool may_send(std::int64_t bytes, std::int64_t now_ns) noexcept {
        if (bytes_per_second_ == 0) return true;
        // A burst is all that can be earned, and takes no longer than this.
        const std::int64_t full_ns = burst_bytes * second_ns / bytes_per_second_ + 1;
        if (now_ns - last_ns_ >= full_ns) {
            allowed_ = burst_bytes;
            last_ns_ = now_ns;
        } else {
            // Of time, only what bought whole octets is spent: calls may come often.
            const std::int64_t earned = (now_ns - last_ns_) * bytes_per_second_ / second_ns;
            allowed_ = std::min(allowed_ + earned, burst_bytes);
            last_ns_ += earned * second_ns / bytes_per_second_;
        }
        // A packet larger than a burst goes as soon as a burst may.
        if (allowed_ < std::min(bytes, burst_bytes)) return false;
        allowed_ -= bytes;
        return true;
    }

    // How long to sleep after a refusal, so that half a burst may go.
    [[nodiscard]] std::int64_t pause_ns() const noexcept {
        return (burst_bytes / 2 * second_ns) / bytes_per_second_;
    }

private:
    static constexpr std::int64_t second_ns = 1'000'000'000;

    std::int64_t bytes_per_second_;
    std::int64_t allowed_ = burst_bytes;
    std::int64_t last_ns_ = 0;
};

}  // namespace latmon::plugins::statsd
