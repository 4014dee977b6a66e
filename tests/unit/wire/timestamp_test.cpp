// SPDX-License-Identifier: Apache-2.0
//
// Timestamps keep every nanosecond through both formats and both era ends; error estimates never
// promise more than they were given.
#include "wire/timestamp.hpp"

#include <doctest/doctest.h>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace latmon {
namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;
// `date -u -d '2036-02-07 06:28:16' +%s`: the first second of NTP era 1.
constexpr std::int64_t era_1_s = 2'085'978'496;
constexpr std::int64_t year_s = 31'556'952;

bool survives_ntp(std::int64_t ns, std::int64_t near_ns) {
    return from_ntp(to_ntp(WallTime{ns}), WallTime{near_ns}).ns == ns;
}

TEST_CASE("timestamp: golden NTP values") {
    CHECK(to_ntp(WallTime{0}).bits == 0x83aa'7e80'0000'0000U);  // 2,208,988,800 s after 1900.
    CHECK(to_ntp(WallTime{ns_per_s / 2}).bits == 0x83aa'7e80'8000'0000U);
    CHECK(to_ntp(WallTime{1}).bits == 0x83aa'7e80'0000'0004U);
    CHECK(to_ntp(WallTime{-1}).bits == 0x83aa'7e7f'ffff'fffcU);
    CHECK(to_ntp(WallTime{999'999'999}).bits == 0x83aa'7e80'ffff'fffcU);
    CHECK(to_ntp(WallTime{era_1_s * ns_per_s}).bits == 0);
    CHECK(to_ntp(WallTime{era_1_s * ns_per_s - 1}).bits == 0xffff'ffff'ffff'fffcU);
    CHECK(to_ntp(WallTime{1'790'000'000'123'456'789}).bits == 0xee5b'ba00'1f9a'dd37U);
}

TEST_CASE("timestamp: ns to NTP and back is exact") {
    std::mt19937_64 random(1);
    std::uniform_int_distribution<std::int64_t> any_ns(0, 4'000'000'000 * ns_per_s);
    std::uniform_int_distribution<std::int64_t> any_distance(-67 * year_s * ns_per_s,
                                                             67 * year_s * ns_per_s);
    bool all_survive = true;
    for (int round = 0; round < 200'000; ++round) {
        const std::int64_t ns = any_ns(random);
        all_survive = all_survive && survives_ntp(ns, ns + any_distance(random));
    }
    CHECK(all_survive);
}

TEST_CASE("timestamp: every nanosecond of a stretch at both ends of a second is exact") {
    constexpr std::int64_t second = 1'790'000'000 * ns_per_s;
    bool all_survive = true;
    for (std::int64_t ns = second - 50'000; ns < second + 50'000; ++ns) {
        all_survive = all_survive && survives_ntp(ns, second);
    }
    CHECK(all_survive);
}

TEST_CASE("timestamp: the end of NTP era 0 in 2036 is crossed in both directions") {
    constexpr std::int64_t end = era_1_s * ns_per_s;
    for (const std::int64_t ns : {end - ns_per_s, end - 1, end, end + 1, end + ns_per_s}) {
        for (const std::int64_t near_ns : {end - 30 * ns_per_s, end, end + 30 * ns_per_s}) {
            CAPTURE(ns);
            CAPTURE(near_ns);
            CHECK(survives_ntp(ns, near_ns));
        }
    }
}

TEST_CASE("timestamp: NTP unfolds up to 2^31 seconds to either side and folds beyond") {
    constexpr std::int64_t near_s = 1'790'000'000;
    constexpr std::int64_t half_era_s = 1LL << 31U;
    CHECK(survives_ntp((near_s + half_era_s - 1) * ns_per_s, near_s * ns_per_s));
    CHECK(survives_ntp((near_s - half_era_s) * ns_per_s, near_s * ns_per_s));
    CHECK_FALSE(survives_ntp((near_s + half_era_s) * ns_per_s, near_s * ns_per_s));
    CHECK_FALSE(survives_ntp((near_s - half_era_s - 1) * ns_per_s, near_s * ns_per_s));
}

TEST_CASE("timestamp: PTP is read with its TAI offset") {
    const WireTime time{(1'790'000'037ULL << 32U) | 123'456'789U};
    const WallTime near{1'790'000'000 * ns_per_s};
    CHECK(from_ptp(time, near, Duration::from_s(37)).ns == 1'790'000'000'123'456'789);
    CHECK(from_ptp(time, near, Duration{}).ns == 1'790'000'037'123'456'789);
}

TEST_CASE("timestamp: PTP seconds wrap in 2106 and are unfolded on both sides") {
    constexpr std::int64_t wrap_s = 1LL << 32U;
    for (const std::int64_t seconds : {wrap_s - 1, wrap_s, wrap_s + 1}) {
        for (const std::int64_t near_s : {wrap_s - 100, wrap_s + 100}) {
            const WireTime time{static_cast<std::uint64_t>(seconds) << 32U | 5U};
            CHECK(from_ptp(time, WallTime{near_s * ns_per_s}, Duration{}).ns ==
                  seconds * ns_per_s + 5);
        }
    }
}

TEST_CASE("timestamp: golden PTP values") {
    constexpr Duration tai_offset = Duration::from_s(37);
    CHECK(to_ptp(WallTime{0}, Duration{}).bits == 0);
    CHECK(to_ptp(WallTime{0}, tai_offset).bits == 37ULL << 32U);
    CHECK(to_ptp(WallTime{-1}, Duration{}).bits == 0xffff'ffff'3b9a'c9ffU);
    CHECK(to_ptp(WallTime{1'790'000'000'123'456'789}, tai_offset).bits ==
          ((1'790'000'037ULL << 32U) | 123'456'789U));
}

TEST_CASE("timestamp: ns to PTP and back is exact, on both sides of 2106") {
    std::mt19937_64 random(3);
    std::uniform_int_distribution<std::int64_t> any_ns(0, 6'000'000'000 * ns_per_s);
    bool all_survive = true;
    for (int round = 0; round < 200'000; ++round) {
        const WallTime time{any_ns(random)};
        const Duration tai_offset = Duration::from_s(static_cast<std::int64_t>(random() % 100));
        const WallTime near = time + Duration::from_s(static_cast<std::int64_t>(random() % 1'000));
        const WireTime wire = to_ptp(time, tai_offset);
        all_survive = all_survive && (wire.bits & 0xffff'ffffU) < 1'000'000'000U &&
                      from_ptp(wire, near, tai_offset) == time;
    }
    CHECK(all_survive);
    constexpr std::int64_t wrap_ns = (1LL << 32U) * ns_per_s;  // 2106-02-07 06:28:16 TAI.
    CHECK(to_ptp(WallTime{wrap_ns - 1}, Duration{}).bits == 0xffff'ffff'3b9a'c9ffU);
    CHECK(to_ptp(WallTime{wrap_ns}, Duration{}).bits == 0);
    CHECK(to_ptp(WallTime{wrap_ns - Duration::from_s(37).ns}, Duration::from_s(37)).bits == 0);
}

TEST_CASE("timestamp: the ends of what a WallTime holds do not overflow in PTP") {
    constexpr std::int64_t ns_max = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t ns_min = std::numeric_limits<std::int64_t>::min();
    CHECK(to_ptp(WallTime{ns_max}, Duration::from_s(37)) == to_ptp(WallTime{ns_max}, Duration{}));
    CHECK((to_ptp(WallTime{ns_min}, Duration{-1}).bits & 0xffff'ffffU) < 1'000'000'000U);
}

TEST_CASE("timestamp: PTP nanoseconds out of range are added as they are") {
    const WireTime time{(100ULL << 32U) | 0xffff'ffffU};
    CHECK(from_ptp(time, WallTime{}, Duration{}).ns == 100 * ns_per_s + 4'294'967'295);
}

TEST_CASE("timestamp: times beyond what a WallTime holds become the nearest that it holds") {
    constexpr std::int64_t ns_max = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t ns_min = std::numeric_limits<std::int64_t>::min();
    const WireTime ahead{to_ntp(WallTime{ns_max}).bits + (1'000ULL << 32U)};
    const WireTime behind{to_ntp(WallTime{ns_min}).bits - (1'000ULL << 32U)};
    CHECK(from_ntp(ahead, WallTime{ns_max}).ns == ns_max);
    CHECK(from_ntp(behind, WallTime{ns_min}).ns == ns_min);
    const auto last_s = static_cast<std::uint64_t>(ns_max / ns_per_s);
    CHECK(from_ptp(WireTime{(last_s + 1'000) << 32U}, WallTime{ns_max}, Duration{1}).ns == ns_max);
}

std::uint16_t encode_ns(std::int64_t error_ns) {
    return encode_error_estimate({.error = Duration{error_ns}});
}

TEST_CASE("error estimate: golden values") {
    CHECK(encode_ns(1'000) == 0x0587);
    CHECK(encode_ns(10'000) == 0x08a8);
    CHECK(encode_ns(50'000) == 0x0ad2);
    CHECK(encode_ns(1'000'000) == 0x0f84);
    CHECK(encode_ns(16 * ns_per_s) == 0x1d80);
    CHECK(encode_error_estimate({.is_synchronized = true, .error = Duration{1'000}}) == 0x8587);
    CHECK(encode_error_estimate({.is_ptp = true, .error = Duration{1'000}}) == 0x4587);
}

TEST_CASE("error estimate: zero and negative become the smallest that can be said") {
    CHECK(encode_ns(0) == 0x0001);
    CHECK(encode_ns(-1) == 0x0001);
    CHECK(encode_ns(std::numeric_limits<std::int64_t>::min()) == 0x0001);
}

// Error in seconds by the formula of RFC 4656 section 4.1.2, computed apart from the code under
// test.
double claimed_ns(std::uint16_t bits) {
    return std::ldexp(bits & 0xff, ((bits >> 8U) & 0x3f) - 32) * 1e9;
}

TEST_CASE("error estimate: never claims less than given, nor much more") {
    std::mt19937_64 random(2);
    bool is_never_less = true;
    bool is_tight = true;
    for (int round = 0; round < 200'000; ++round) {
        const auto error_ns = static_cast<std::int64_t>(random() >> (1 + random() % 63));
        const std::uint16_t bits = encode_ns(error_ns);
        const double given_ns = static_cast<double>(error_ns);
        is_never_less = is_never_less && claimed_ns(bits) >= given_ns * (1 - 1e-12) &&
                        decode_error_estimate(bits).error.ns >= error_ns;
        // One unit of a multiplier that is at least 128, or one unit of the least scale.
        is_tight = is_tight && claimed_ns(bits) <= given_ns * (1 + 1.0 / 127) + 0.25;
    }
    CHECK(is_never_less);
    CHECK(is_tight);
}

TEST_CASE("error estimate: all 65,536 values decode to what the formula says, rounded up") {
    bool all_right = true;
    for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
        const ErrorEstimate estimate = decode_error_estimate(static_cast<std::uint16_t>(bits));
        const double expected_ns = std::ceil(claimed_ns(static_cast<std::uint16_t>(bits)));
        const auto decoded_ns = static_cast<double>(estimate.error.ns);
        const bool is_right = (bits & 0xff) == 0 ? estimate.error.ns < 0
                              : expected_ns >= 9e18
                                  ? estimate.error.ns > 8'999'999'999'999'999'999
                                  : std::abs(decoded_ns - expected_ns) <= expected_ns * 1e-12;
        all_right = all_right && is_right && estimate.is_synchronized == (bits >> 15U == 1) &&
                    estimate.is_ptp == ((bits >> 14U & 1U) == 1);
    }
    CHECK(all_right);
}

TEST_CASE("error estimate: a multiplier of 0 is corrupt whatever the scale") {
    CHECK(decode_error_estimate(0x0000).error < Duration{});
    CHECK(decode_error_estimate(0x3f00).error < Duration{});
    CHECK(decode_error_estimate(0x8a00).error < Duration{});
    CHECK(decode_error_estimate(0x0001).error == Duration{1});
}

TEST_CASE("error estimate: more than a Duration holds is the largest Duration") {
    CHECK(decode_error_estimate(0x3fff).error.ns == std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace latmon
