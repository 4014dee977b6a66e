// SPDX-License-Identifier: Apache-2.0
//
// Weighted least squares, recomputed when a point changes. Doubles hold differences alone, of times
// and of offsets, so 2^53 ns are far away.
#include "clock/offset_line.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace latmon {
namespace {

// How well even the best exchange tells the offset: stamps by software, and jitter that grows with
// the length of the path.
constexpr double sigma_floor_ns = 1'000;
constexpr double sigma_per_rtt = 1.0 / 256;
// What is known of the slope before any point is: crystals keep to 100 ppm and mostly to less.
constexpr double slope_prior = 50e-6;
// Exchanges in a row that must disagree with the line before it is given up, and by how many
// sigmas: the peer has begun to slew its clock, or has ended it.
constexpr std::uint8_t strikes_max = 8;
constexpr double disagreement_sigmas = 4;

}  // namespace

void OffsetLine::reset() noexcept {
    *this = OffsetLine{};
}

Duration OffsetLine::offset_at(RawInstant at) const noexcept {
    const double passed_ns = static_cast<double>((at - middle_at_).ns);
    return middle_ + Duration{static_cast<std::int64_t>(slope_ * passed_ns)};
}

std::int64_t OffsetLine::skew_ppb() const noexcept {
    return static_cast<std::int64_t>(std::lround(slope_ * 1e9));
}

// Of a round trip beyond the least, all may be on one way, and half of that is in the middle.
double OffsetLine::sigma_ns(Duration rtt) const noexcept {
    const double excess_ns = static_cast<double>(std::max((rtt - rtt_min_).ns, std::int64_t{0}));
    return sigma_floor_ns + static_cast<double>(rtt_min_.ns) * sigma_per_rtt + excess_ns / 2;
}

bool OffsetLine::disagrees(const Point& point) const noexcept {
    const double away_ns = static_cast<double>((point.offset - offset_at(point.at)).ns);
    const double passed_ns = static_cast<double>((point.at - middle_at_).ns);
    const double line_sigma_ns =
        static_cast<double>(residual_.ns) + static_cast<double>(slope_sigma_) * std::abs(passed_ns);
    return std::abs(away_ns) > sigma_ns(point.rtt) + disagreement_sigmas * line_sigma_ns;
}

void OffsetLine::add(RawInstant at, Duration offset, Duration rtt) noexcept {
    const Point point{.at = at, .offset = offset, .rtt = rtt};
    if (count_ > 0) {
        strikes_ = disagrees(point) ? static_cast<std::uint8_t>(strikes_ + 1) : std::uint8_t{0};
        if (strikes_ >= strikes_max) reset();
    }
    const bool is_same_stretch =
        count_ > 0 && (points_[count_ - 1U].at.ns >> stretch_log2_) == (at.ns >> stretch_log2_);
    if (is_same_stretch) {
        if (rtt >= points_[count_ - 1U].rtt) return;
        points_[count_ - 1U] = point;
    } else {
        if (count_ == points_max) make_room();
        points_[count_] = point;
        ++count_;
    }
    fit();
}

// Pairs become their better half while stretches may grow; then the oldest goes.
void OffsetLine::make_room() noexcept {
    if (stretch_log2_ == stretch_log2_max) {
        std::copy(points_.begin() + 1, points_.end(), points_.begin());
        --count_;
        return;
    }
    for (std::size_t pair = 0; pair < points_max / 2; ++pair) {
        const Point& first = points_[2 * pair];
        const Point& second = points_[2 * pair + 1];
        points_[pair] = second.rtt <= first.rtt ? second : first;
    }
    count_ = points_max / 2;
    const std::int64_t span_ns =
        std::max((points_[count_ - 1U].at - points_[0].at).ns, std::int64_t{1});
    const std::uint64_t share = static_cast<std::uint64_t>(span_ns) / (points_max / 2);
    const int wanted = std::max(stretch_log2_ + 1, static_cast<int>(std::bit_width(share)) - 1);
    stretch_log2_ = static_cast<std::uint8_t>(std::min<int>(wanted, stretch_log2_max));
}

void OffsetLine::fit() noexcept {
    rtt_min_ = points_[0].rtt;
    for (std::size_t index = 1; index < count_; ++index) {
        rtt_min_ = std::min(rtt_min_, points_[index].rtt);
    }
    const Point& newest = points_[count_ - 1U];
    std::array<double, points_max> weight{};
    std::array<double, points_max> x{};
    std::array<double, points_max> y{};
    double weights = 0;
    double x_mean = 0;
    double y_mean = 0;
    for (std::size_t index = 0; index < count_; ++index) {
        const double sigma = sigma_ns(points_[index].rtt);
        weight[index] = 1 / (sigma * sigma);
        x[index] = static_cast<double>((points_[index].at - newest.at).ns);
        y[index] = static_cast<double>((points_[index].offset - newest.offset).ns);
        weights += weight[index];
        x_mean += weight[index] * x[index];
        y_mean += weight[index] * y[index];
    }
    x_mean /= weights;
    y_mean /= weights;
    double x_square = 1 / (slope_prior * slope_prior);
    double x_y = 0;
    for (std::size_t index = 0; index < count_; ++index) {
        x_square += weight[index] * (x[index] - x_mean) * (x[index] - x_mean);
        x_y += weight[index] * (x[index] - x_mean) * (y[index] - y_mean);
    }
    slope_ = x_y / x_square;
    slope_sigma_ = static_cast<float>(1 / std::sqrt(x_square));
    double square = 0;
    for (std::size_t index = 0; index < count_; ++index) {
        const double away = y[index] - y_mean - slope_ * (x[index] - x_mean);
        square += weight[index] * away * away;
    }
    residual_ = Duration{static_cast<std::int64_t>(std::sqrt(square / weights))};
    middle_at_ = newest.at + Duration{static_cast<std::int64_t>(x_mean)};
    middle_ = newest.offset + Duration{static_cast<std::int64_t>(y_mean)};
}

}  // namespace latmon
