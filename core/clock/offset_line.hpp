// SPDX-License-Identifier: Apache-2.0
//
// The best guess of how two clocks are apart, and how fast that changes: a straight line through
// the exchanges that had the least round trip in their stretch of time. What was queued on one way
// hardly counts, so the guess stays where it is while a queue lasts (for some minutes), and the
// delay of that way alone rises. A guess: it takes the path to be symmetric when nobody queues.
// What can be proved stands in path_clock.hpp. Owned by one core-thread; allocates nothing.
#pragma once

#include "base/time.hpp"

#include <array>
#include <cstdint>

namespace latmon {

class OffsetLine {
public:
    // One exchange: the middle of where the offset may be, and its round trip, >= 0. In order of
    // `at`, as far as that goes. Some 10 ns; 150 ns if it is the best of its stretch. [core-thread]
    void add(RawInstant at, Duration offset, Duration rtt) noexcept;

    // Forgets everything. [core-thread]
    void reset() noexcept;

    // The offset at `at` by the line; 0 if nothing was added. [core-thread]
    [[nodiscard]] Duration offset_at(RawInstant at) const noexcept;

    // How fast the offset grows: parts in 10^9 of the time that `at` counts. [core-thread]
    [[nodiscard]] std::int64_t skew_ppb() const noexcept;

    // Root of the weighted mean square of the points' distance from the line. [core-thread]
    [[nodiscard]] Duration residual() const noexcept { return residual_; }

private:
    struct Point {
        RawInstant at;
        Duration offset;
        Duration rtt;
    };
    static constexpr std::size_t points_max = 16;
    // Stretches of 2^n ns: of 67 ms at first, so that there is a slope soon; then, when all points
    // are taken, pairs of neighbours become one, up to 17 s, which makes 4.6 minutes in all.
    static constexpr std::uint8_t stretch_log2_min = 26;
    static constexpr std::uint8_t stretch_log2_max = 34;

    [[nodiscard]] double sigma_ns(Duration rtt) const noexcept;
    [[nodiscard]] bool disagrees(const Point& point) const noexcept;
    void make_room() noexcept;
    void fit() noexcept;

    std::array<Point, points_max> points_;  // Oldest first.
    RawInstant middle_at_;                  // The line goes through here,
    Duration middle_;                       // at this offset,
    double slope_ = 0;                      // and is this steep.
    Duration residual_;
    Duration rtt_min_;
    float slope_sigma_ = 0;
    std::uint8_t count_ = 0;
    std::uint8_t stretch_log2_ = stretch_log2_min;
    std::uint8_t strikes_ = 0;  // Exchanges in a row that the line does not explain.
};

}  // namespace latmon
