// SPDX-License-Identifier: Apache-2.0
//
// When which sender sends: one grid of slots for all, slot k at origin + k / rate, dealt out in
// turn. So each of N senders has an interval of N / rate, and their phases are spread evenly over
// it. Nothing is relative to "now": the grid cannot drift. Pure arithmetic; it neither waits nor
// sends.
#pragma once

#include "base/assert.hpp"
#include "base/time.hpp"

#include <cstdint>

namespace latmon::loadgen {

class SlotGrid {
public:
    // `rate_per_s` is in [1, 10^9], `sender_count` at least 1.
    SlotGrid(Instant origin, std::uint64_t rate_per_s, std::uint32_t sender_count) noexcept
        : origin_(origin), rate_per_s_(rate_per_s), sender_count_(sender_count) {
        LATMON_ASSERT(rate_per_s_ >= 1 && rate_per_s_ <= ns_per_s);
        LATMON_ASSERT(sender_count_ >= 1);
    }

    // Seconds and the rest apart: exact to the nanosecond, rounded down, and no product overflows.
    [[nodiscard]] Instant deadline(std::uint64_t slot) const noexcept {
        const std::uint64_t rest_ns = slot % rate_per_s_ * ns_per_s / rate_per_s_;
        return origin_ + Duration::from_s(static_cast<std::int64_t>(slot / rate_per_s_)) +
               Duration{static_cast<std::int64_t>(rest_ns)};
    }

    [[nodiscard]] std::uint32_t sender(std::uint64_t slot) const noexcept {
        return static_cast<std::uint32_t>(slot % sender_count_);
    }
    // Of the sender's own slots, from 0; it is the packet's sequence number.
    [[nodiscard]] std::uint32_t sequence(std::uint64_t slot) const noexcept {
        return static_cast<std::uint32_t>(slot / sender_count_);
    }
    // The inverse of the two.
    [[nodiscard]] std::uint64_t slot(std::uint32_t sender, std::uint32_t sequence) const noexcept {
        return std::uint64_t{sequence} * sender_count_ + sender;
    }

    [[nodiscard]] Instant origin() const noexcept { return origin_; }

private:
    static constexpr std::uint64_t ns_per_s = 1'000'000'000;

    Instant origin_;
    std::uint64_t rate_per_s_;
    std::uint32_t sender_count_;
};

}  // namespace latmon::loadgen
