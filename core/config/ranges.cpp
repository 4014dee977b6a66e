// SPDX-License-Identifier: Apache-2.0
//
// Ranges as text, and numbers of a unit as durations.
#include "config/ranges.hpp"

#include <fmt/format.h>
#include <cmath>

namespace latmon {
namespace {

double count_of(Duration duration, Duration unit) noexcept {
    return static_cast<double>(duration.ns) / static_cast<double>(unit.ns);
}

}  // namespace

std::string describe(const DurationRange& range) {
    return fmt::format("{}{} from {} to {}", range.allows_zero ? "0 (off), or " : "",
                       range.unit_name, count_of(range.min, range.unit),
                       count_of(range.max, range.unit));
}

std::string describe(const IntegerRange& range) {
    return fmt::format("{} from {} to {}", range.unit_name.empty() ? "a number" : range.unit_name,
                       range.min, range.max);
}

std::string describe(const NumberRange& range) {
    return fmt::format("{} from {} to {}", range.unit_name, range.min, range.max);
}

std::optional<Duration> to_duration(double count, const DurationRange& range) {
    const double ns = count * static_cast<double>(range.unit.ns);
    if (range.allows_zero && ns == 0.0) return Duration{};
    // Written so that a NaN is refused, and before rounding, so that no huge number overflows.
    const bool is_within = ns > static_cast<double>(range.min.ns) - 0.5 &&
                           ns < static_cast<double>(range.max.ns) + 0.5;
    if (!is_within) return std::nullopt;
    return Duration{std::llround(ns)};
}

}  // namespace latmon
