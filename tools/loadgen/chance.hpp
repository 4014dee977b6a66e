// SPDX-License-Identifier: Apache-2.0
//
// Chance from a seed: the same numbers in the same order every time and everywhere, which the
// standard's distributions do not promise. One per purpose, so that asking for one thing does not
// change another. Pure; owned by one thread.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

namespace latmon::loadgen {

class Chance {
public:
    explicit Chance(std::uint64_t seed) noexcept : source_(seed) {}

    // In [0, 1), of 53 bits.
    [[nodiscard]] double unit() noexcept { return static_cast<double>(source_() >> 11U) * 0x1p-53; }

    // True in `percent` of a hundred cases.
    [[nodiscard]] bool happens(double percent) noexcept { return unit() * 100 < percent; }

    // Of mean 0 and standard deviation 1, by Box and Muller.
    [[nodiscard]] double normal() noexcept {
        const double radius = std::sqrt(-2 * std::log(1 - unit()));
        return radius * std::cos(2 * std::numbers::pi * unit());
    }

    // Of mean 1.
    [[nodiscard]] double exponential() noexcept { return -std::log(1 - unit()); }

    // Of mean 1 with a heavy tail: P(x > t) = (1 + t / 2)^-3 (Lomax). Beyond 1,000, which one of a
    // hundred million is, it is cut off.
    [[nodiscard]] double heavy_tail() noexcept {
        return std::fmin(2 * (std::pow(1 - unit(), -1.0 / 3) - 1), 1'000);
    }

private:
    std::mt19937_64 source_;
};

}  // namespace latmon::loadgen
