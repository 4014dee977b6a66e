// SPDX-License-Identifier: Apache-2.0
//
// Offsets of candm.h's CMD_Request, CMD_Reply and RPY_Tracking; all fields are big-endian.
#include "clock/chrony_reply.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace latmon {
namespace {

constexpr std::uint8_t protocol_version = 6;
constexpr std::uint8_t type_request = 1;
constexpr std::uint8_t type_reply = 2;
constexpr std::uint16_t command_tracking = 33;
constexpr std::uint16_t format_tracking = 5;
constexpr std::uint16_t status_success = 0;

constexpr std::uint16_t leap_unsynchronised = 3;
constexpr std::uint16_t stratum_max = 15;
// chronyd's names for a source that is none: nobody; 127.127.x.x, our own clock; "MANU", a person.
constexpr std::uint32_t reference_none = 0;
constexpr std::uint32_t reference_own = 0x7F7F0000;
constexpr std::uint32_t reference_own_mask = 0xFFFF0000;
constexpr std::uint32_t reference_manual = 0x4D414E55;

constexpr std::uint32_t no_high_seconds = 0x7FFFFFFF;
constexpr std::int64_t seconds_max = std::int64_t{1} << 33U;  // The year 2242.
constexpr double duration_s_max = 1e9;

constexpr std::int64_t intervals_silent_max = 8;
constexpr std::int64_t drift_divisor = 66'666;  // 15 ppm.
// Time that the update interval is taken for at least: chronyd may not have a second update yet.
constexpr Duration interval_min = Duration::from_s(8);
// What a sum of a few such fields may be without overflow, and far more than a clock may be off.
constexpr Duration bound_max = Duration::from_s(1'000'000'000);

template <typename T>
T load(std::span<const std::byte> octets, std::size_t offset) noexcept {
    T value;
    std::memcpy(&value, octets.data() + offset, sizeof(T));
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    return value;
}

template <typename T>
void store(std::span<std::byte> octets, std::size_t offset, T value) noexcept {
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    std::memcpy(octets.data() + offset, &value, sizeof(T));
}

// A number of seconds: 7 bits of signed exponent, 25 of signed coefficient, coefficient x
// 2^(exponent - 25). Rounded away from 0.
Duration load_seconds(std::span<const std::byte> octets, std::size_t offset) noexcept {
    const std::int32_t bits = std::bit_cast<std::int32_t>(load<std::uint32_t>(octets, offset));
    const int exponent = bits >> 25;
    const std::int32_t coefficient =
        std::bit_cast<std::int32_t>(std::bit_cast<std::uint32_t>(bits) << 7U) >> 7;
    const double seconds = std::ldexp(coefficient, exponent - 25);
    const double ns = std::clamp(seconds, -duration_s_max, duration_s_max) * 1e9;
    return Duration{static_cast<std::int64_t>(ns < 0 ? std::floor(ns) : std::ceil(ns))};
}

WallTime load_time(std::span<const std::byte> octets, std::size_t offset) noexcept {
    const std::uint32_t high = load<std::uint32_t>(octets, offset);
    const std::uint64_t seconds = (std::uint64_t{high == no_high_seconds ? 0 : high} << 32U) +
                                  load<std::uint32_t>(octets, offset + 4);
    const std::int64_t bounded =
        static_cast<std::int64_t>(std::min(seconds, static_cast<std::uint64_t>(seconds_max)));
    return WallTime{bounded * 1'000'000'000 + load<std::uint32_t>(octets, offset + 8)};
}

Duration magnitude(Duration value) noexcept {
    return Duration{std::abs(value.ns)};
}

}  // namespace

std::array<std::byte, chrony_request_bytes> chrony_request(std::uint32_t sequence) noexcept {
    std::array<std::byte, chrony_request_bytes> request{};
    store(request, 0, protocol_version);
    store(request, 1, type_request);
    store(request, 4, command_tracking);
    store(request, 8, sequence);
    return request;
}

std::optional<ChronyTracking> decode_chrony_reply(std::span<const std::byte> reply,
                                                  std::uint32_t sequence) noexcept {
    if (reply.size() < chrony_reply_bytes) return std::nullopt;
    if (load<std::uint8_t>(reply, 0) != protocol_version) return std::nullopt;
    if (load<std::uint8_t>(reply, 1) != type_reply) return std::nullopt;
    if (load<std::uint16_t>(reply, 4) != command_tracking) return std::nullopt;
    if (load<std::uint16_t>(reply, 6) != format_tracking) return std::nullopt;
    if (load<std::uint16_t>(reply, 8) != status_success) return std::nullopt;
    if (load<std::uint32_t>(reply, 16) != sequence) return std::nullopt;
    return ChronyTracking{.reference_id = load<std::uint32_t>(reply, 28),
                          .stratum = load<std::uint16_t>(reply, 52),
                          .leap_status = load<std::uint16_t>(reply, 54),
                          .reference_time = load_time(reply, 56),
                          .correction = load_seconds(reply, 68),
                          .root_delay = load_seconds(reply, 92),
                          .root_dispersion = load_seconds(reply, 96),
                          .update_interval = load_seconds(reply, 100)};
}

std::optional<Duration> error_bound(const ChronyTracking& tracking, WallTime now) noexcept {
    if (tracking.leap_status >= leap_unsynchronised) return std::nullopt;
    if (tracking.stratum == 0 || tracking.stratum > stratum_max) return std::nullopt;
    const std::uint32_t reference = tracking.reference_id;
    if (reference == reference_none || reference == reference_manual) return std::nullopt;
    if ((reference & reference_own_mask) == reference_own) return std::nullopt;

    Duration bound = magnitude(tracking.correction) + magnitude(tracking.root_dispersion) +
                     magnitude(tracking.root_delay) / 2;
    const Duration age = magnitude(now - tracking.reference_time);
    const Duration interval = std::max(magnitude(tracking.update_interval), interval_min);
    if (age / intervals_silent_max > interval) bound = bound + age / drift_divisor;
    // The wire has 24 bits of each, and the half was cut.
    bound = bound + bound / (1 << 20) + Duration{1};
    return std::min(bound, bound_max);
}

}  // namespace latmon
