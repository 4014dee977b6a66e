// SPDX-License-Identifier: Apache-2.0
//
// Which of a session's recent sequence numbers have been seen, so that an authenticated packet that
// somebody captured and sends again is refused: an HMAC says who made it, not when (RFC 8972
// section 6). The sliding window of RFC 4303 section 3.4.3, 1,024 numbers wide. Pure; owned by one
// core-thread.
#pragma once

#include "base/time.hpp"

#include <array>
#include <cstdint>

namespace latmon {

class ReplayWindow {
public:
    static constexpr std::uint32_t width = 1'024;

    // False if the number has been seen, or is too old to tell. Otherwise it is seen from now on.
    // A sender that has started again counts from 0: once nothing has been admitted for
    // `restart_after`, the window begins anew.
    [[nodiscard]] bool admit(std::uint32_t sequence, Instant now) noexcept {
        if (has_any_ && now - admitted_ > restart_after) *this = {};
        const bool is_admitted = look(sequence);
        if (is_admitted) admitted_ = now;
        return is_admitted;
    }

private:
    static constexpr std::uint32_t word_bits = 64;
    static constexpr Duration restart_after = Duration::from_s(10);

    [[nodiscard]] bool look(std::uint32_t sequence) noexcept {
        if (!has_any_) {
            has_any_ = true;
            highest_ = sequence;
            set(sequence);
            return true;
        }
        const auto ahead = static_cast<std::int32_t>(sequence - highest_);
        if (ahead > 0) {
            slide(static_cast<std::uint32_t>(ahead));
            highest_ = sequence;
        } else if (static_cast<std::uint32_t>(-static_cast<std::int64_t>(ahead)) >= width ||
                   is_set(sequence)) {
            return false;
        }
        set(sequence);
        return true;
    }

    void slide(std::uint32_t distance) noexcept {
        if (distance >= width) {
            seen_ = {};
            return;
        }
        for (std::uint32_t step = 1; step <= distance; ++step) {
            const std::uint32_t at = (highest_ + step) % width;
            seen_[at / word_bits] &= ~(std::uint64_t{1} << at % word_bits);
        }
    }
    void set(std::uint32_t sequence) noexcept {
        const std::uint32_t at = sequence % width;
        seen_[at / word_bits] |= std::uint64_t{1} << at % word_bits;
    }
    [[nodiscard]] bool is_set(std::uint32_t sequence) const noexcept {
        const std::uint32_t at = sequence % width;
        return (seen_[at / word_bits] >> at % word_bits & 1U) != 0;
    }

    std::array<std::uint64_t, width / word_bits> seen_{};
    Instant admitted_;  // When the last one was.
    std::uint32_t highest_ = 0;
    bool has_any_ = false;
};

}  // namespace latmon
