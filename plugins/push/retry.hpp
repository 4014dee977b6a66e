// SPDX-License-Identifier: Apache-2.0
//
// How long to wait after a failure: pure, no clock and no dice of its own. Used on the
// sender-thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace latmon::plugins::push {

// A server may ask us to wait for longer; it is asked again after this.
constexpr std::int64_t retry_after_s_max = 3'600;

// The value of a Retry-After header (RFC 9110, 10.2.3) in seconds from `now_s`, since 1970: either
// a number of seconds or a date in one of the three forms of 5.6.7. 0 for a date in the past, at
// most retry_after_s_max. nullopt if it is neither. [any-thread]
[[nodiscard]] std::optional<std::int64_t> parse_retry_after(std::string_view text,
                                                            std::int64_t now_s) noexcept;

// Pauses that double from one failure to the next, each a random part of the whole ("full jitter"),
// so that many clients of one server do not come back all at once.
class Backoff {
public:
    Backoff(std::chrono::milliseconds min, std::chrono::milliseconds max) noexcept
        : min_(min), max_(max), next_(min) {}

    // The pause after one more failure. `share` is a random number in [0, 1]. No shorter than what
    // the server asked for. [sender-thread]
    [[nodiscard]] std::chrono::milliseconds pause(
        double share, std::optional<std::int64_t> retry_after_s) noexcept;

    // As if it had failed for long: the longest pause, without jitter. [sender-thread]
    [[nodiscard]] std::chrono::milliseconds longest(
        std::optional<std::int64_t> retry_after_s) noexcept;

    // It works: the next failure is a first one. [sender-thread]
    void reset() noexcept { next_ = min_; }

private:
    std::chrono::milliseconds min_;
    std::chrono::milliseconds max_;
    std::chrono::milliseconds next_;
};

}  // namespace latmon::plugins::push
