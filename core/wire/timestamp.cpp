// SPDX-License-Identifier: Apache-2.0
//
// See timestamp.hpp. Every product that may pass 64 bits is made in 128, and every moment that does
// not fit a WallTime (1677 to 2262) is given as the nearest that does: a hostile packet can choose
// all the bits, and must not find an overflow.
#include "wire/timestamp.hpp"

#include <algorithm>
#include <limits>

namespace latmon {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t ns_per_s = 1'000'000'000;
constexpr std::int64_t ns_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t ns_min = std::numeric_limits<std::int64_t>::min();

// From 1900-01-01 to 1970-01-01: 70 years, 17 of them leap years (RFC 5905 figure 4).
constexpr std::int64_t ntp_to_unix_s = 2'208'988'800;

constexpr unsigned fraction_bits = 32;
constexpr Wide one_second = Wide{1} << fraction_bits;  // In fractions.

constexpr unsigned scale_max = 63;
constexpr Wide multiplier_max = 255;
constexpr std::uint16_t synchronized_bit = 0x8000;
constexpr std::uint16_t ptp_bit = 0x4000;

std::int64_t clamp_ns(Wide ns) noexcept {
    return static_cast<std::int64_t>(std::clamp(ns, Wide{ns_min}, Wide{ns_max}));
}

std::int64_t floor_s(std::int64_t ns) noexcept {
    return ns / ns_per_s - (ns % ns_per_s < 0 ? 1 : 0);
}

// The count of seconds nearest to `near_s` whose low 32 bits are `low`.
std::int64_t unfold_s(std::uint32_t low, std::int64_t near_s) noexcept {
    const auto ahead = static_cast<std::int32_t>(low - static_cast<std::uint32_t>(near_s));
    return near_s + ahead;
}

}  // namespace

WireTime to_ntp(WallTime time) noexcept {
    const std::int64_t seconds = floor_s(time.ns);
    const auto ns = static_cast<std::uint64_t>((time.ns % ns_per_s + ns_per_s) % ns_per_s);
    // At most 999,999,999 / 1e9 of a second, so that rounding never carries into the seconds.
    const std::uint64_t fraction = ((ns << fraction_bits) + ns_per_s / 2) / ns_per_s;
    const auto era_seconds = static_cast<std::uint64_t>(seconds + ntp_to_unix_s);
    return WireTime{era_seconds << fraction_bits | fraction};
}

WallTime from_ntp(WireTime time, WallTime near) noexcept {
    const auto wire_s = static_cast<std::uint32_t>(time.bits >> fraction_bits);
    const std::int64_t near_s = floor_s(near.ns) + ntp_to_unix_s;
    const std::int64_t seconds = unfold_s(wire_s, near_s) - ntp_to_unix_s;
    const std::uint64_t fraction = time.bits & 0xffff'ffffU;
    const std::uint64_t ns = (fraction * ns_per_s + (1ULL << (fraction_bits - 1))) >> fraction_bits;
    return WallTime{clamp_ns(Wide{seconds} * ns_per_s + ns)};
}

WallTime from_ptp(WireTime time, WallTime near, Duration tai_offset) noexcept {
    const auto wire_s = static_cast<std::uint32_t>(time.bits >> 32U);
    const std::int64_t near_s = floor_s(clamp_ns(Wide{near.ns} + tai_offset.ns));
    const std::uint64_t ns = time.bits & 0xffff'ffffU;
    return WallTime{clamp_ns(Wide{unfold_s(wire_s, near_s)} * ns_per_s + ns - tai_offset.ns)};
}

WireTime to_ptp(WallTime time, Duration tai_offset) noexcept {
    const std::int64_t tai_ns = clamp_ns(Wide{time.ns} + tai_offset.ns);
    const std::int64_t seconds = floor_s(tai_ns);
    // Not `tai_ns - seconds * ns_per_s`: the product of the least int64 does not fit.
    const auto ns = static_cast<std::uint64_t>((tai_ns % ns_per_s + ns_per_s) % ns_per_s);
    return WireTime{static_cast<std::uint64_t>(seconds) << 32U | ns};
}

std::uint16_t encode_error_estimate(const ErrorEstimate& estimate) noexcept {
    const std::int64_t error_ns = std::max<std::int64_t>(estimate.error.ns, 0);
    Wide multiplier = (error_ns * one_second + ns_per_s - 1) / ns_per_s;  // Rounded up.
    std::uint32_t scale = 0;
    // Halving and rounding up over and over is the same as dividing once and rounding up. It ends
    // far below scale_max: the largest Duration needs Scale 58.
    for (; multiplier > multiplier_max; ++scale) {
        multiplier = (multiplier + 1) / 2;
    }
    const auto bits = scale << 8U | static_cast<std::uint32_t>(std::max<Wide>(multiplier, 1));
    return static_cast<std::uint16_t>(bits | (estimate.is_synchronized ? synchronized_bit : 0U) |
                                      (estimate.is_ptp ? ptp_bit : 0U));
}

ErrorEstimate decode_error_estimate(std::uint16_t bits) noexcept {
    ErrorEstimate estimate{.is_synchronized = (bits & synchronized_bit) != 0,
                           .is_ptp = (bits & ptp_bit) != 0,
                           .error = Duration{-1}};
    const unsigned scale = (bits >> 8U) & scale_max;
    const Wide multiplier = bits & 0xffU;
    if (multiplier == 0) return estimate;
    const Wide scaled_ns = (multiplier << scale) * ns_per_s;  // At most 2^101.
    estimate.error.ns = clamp_ns((scaled_ns + one_second - 1) / one_second);
    return estimate;
}

}  // namespace latmon
