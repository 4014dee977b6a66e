// SPDX-License-Identifier: Apache-2.0
//
// See bounds.hpp. Schema 7: bucket i ends at 2^(i/128) seconds.
#include "prometheus/bounds.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace latmon::plugins::prometheus {
namespace {

std::int32_t last_index_below(std::int64_t ns) noexcept {
    const long double seconds = static_cast<long double>(ns) / 1e9L;
    const auto end_of = [](std::int64_t index) -> long double {
        return std::exp2(static_cast<long double>(index) / 128.0L);
    };
    std::int64_t index = static_cast<std::int64_t>(std::floor(std::log2(seconds) * 128.0L));
    while (end_of(index + 1) <= seconds) {
        ++index;
    }
    while (end_of(index) > seconds) {
        --index;
    }
    return static_cast<std::int32_t>(index);
}

}  // namespace

std::string float_text(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    std::array<char, 32> text{};
    const char* const end =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific)
            .ptr;
    const std::string_view scientific(text.data(), static_cast<std::size_t>(end - text.data()));
    int exponent = 0;
    const std::size_t at = scientific.find('e') + 1;
    const char* const digits = scientific.data() + at + (scientific[at] == '+' ? 1 : 0);
    std::from_chars(digits, end, exponent);
    if (value != 0 && (exponent < -4 || exponent >= 6)) return std::string(scientific);
    char* const fixed_end =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr;
    return std::string(text.data(), fixed_end);
}

std::int64_t bound_ns(std::string_view seconds) noexcept {
    double value = 0;
    const char* const end = seconds.data() + seconds.size();
    const std::from_chars_result read = std::from_chars(seconds.data(), end, value);
    if (read.ec != std::errc() || read.ptr != end) return 0;
    const double ns = std::round(value * 1e9);
    const bool is_whole = std::abs(ns - value * 1e9) <= 1e-6 * std::abs(ns);
    return is_whole && ns >= 1 && ns <= 1e18 ? static_cast<std::int64_t>(ns) : 0;
}

std::vector<std::int64_t> Bounds::default_ns() {
    std::vector<std::int64_t> bounds;
    for (std::int64_t decade_ns = 1'000; decade_ns < 10'000'000'000; decade_ns *= 10) {
        for (const std::int64_t step : {1, 2, 5}) {
            bounds.push_back(step * decade_ns);
        }
    }
    bounds.push_back(10'000'000'000);
    return bounds;
}

Bounds::Bounds(const std::vector<std::int64_t>& bounds_ns) {
    for (const std::int64_t ns : bounds_ns) {
        Bound& bound = bounds_.emplace_back();
        bound.ns = ns;
        bound.seconds = static_cast<double>(ns) / 1e9;
        bound.last_index = last_index_below(ns);
        bound.text = float_text(bound.seconds);
        bound.open_text = bound.text;
        if (bound.text.find_first_of(".e") == std::string::npos) bound.open_text += ".0";
    }
}

std::size_t Bounds::place_of_value(std::int64_t value_ns) const noexcept {
    const auto found = std::ranges::lower_bound(bounds_, value_ns, {}, &Bound::ns);
    return static_cast<std::size_t>(found - bounds_.begin());
}

std::size_t Bounds::place_of_bucket(std::int32_t index, std::int64_t max_ns) const noexcept {
    const auto found = std::ranges::lower_bound(bounds_, index, {}, &Bound::last_index);
    std::size_t place = static_cast<std::size_t>(found - bounds_.begin());
    while (place > 0 && max_ns <= bounds_[place - 1].ns) {
        --place;
    }
    return place;
}

}  // namespace latmon::plugins::prometheus
