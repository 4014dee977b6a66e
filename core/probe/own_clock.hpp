// SPDX-License-Identifier: Apache-2.0
//
// What this core-thread says about its wall clock in every packet: the Error Estimate (RFC 8762
// section 4.2.1), computed from the latest survey and never a constant. Once the survey is too old,
// or the clock stepped since, nothing is claimed (S = 0). Owned by one core-thread.
#pragma once

#include "clock/local_clock.hpp"
#include "wire/timestamp.hpp"

#include <cstdint>
#include <optional>

namespace latmon {

class OwnClock {
public:
    // The outcome of a new survey. [core-thread]
    void set(const LocalClock& state) noexcept {
        state_ = state;
        encoded_until_ = Instant{};
    }
    // Our wall clock stepped: what was surveyed is void until the next survey. [core-thread]
    void on_step() noexcept {
        state_.is_synchronized = false;
        encoded_until_ = Instant{};
    }

    // Nothing if the clock is not known to follow UTC. [core-thread]
    [[nodiscard]] std::optional<Duration> error_at(Instant now) const noexcept {
        if (!state_.is_synchronized_at(now)) return std::nullopt;
        return state_.error_at(now);
    }
    [[nodiscard]] const LocalClock& state() const noexcept { return state_; }

    // As it stands in a packet that leaves about `now`. [core-thread]
    [[nodiscard]] std::uint16_t error_estimate(Instant now, bool is_ptp) noexcept {
        if (now >= encoded_until_) encode(now);
        return is_ptp ? ptp_ : ntp_;
    }

    // A moment as it stands in a packet. PTP needs a known TAI offset.
    [[nodiscard]] WireTime encode_time(WallTime time, bool is_ptp) const noexcept {
        return is_ptp ? to_ptp(time, state_.tai_offset) : to_ntp(time);
    }

private:
    // The bound grows by 100 ppm at most: within this time by a microsecond.
    static constexpr Duration encoded_for = Duration::from_ms(10);

    void encode(Instant now) noexcept {
        encoded_until_ = now + encoded_for;
        ErrorEstimate estimate{.is_synchronized = state_.is_synchronized_at(now),
                               .is_ptp = false,
                               .error = state_.error_at(encoded_until_)};
        ntp_ = encode_error_estimate(estimate);
        estimate.is_ptp = true;
        ptp_ = encode_error_estimate(estimate);
    }

    LocalClock state_;
    Instant encoded_until_;
    std::uint16_t ntp_ = 0;
    std::uint16_t ptp_ = 0;
};

}  // namespace latmon
