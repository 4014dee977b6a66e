// SPDX-License-Identifier: Apache-2.0
//
// Timestamps and error estimates as STAMP carries them. Pure functions; used on core-threads.
//
// NTP format (RFC 8762 section 4.2.1, RFC 5905 section 6), 64 bits, big-endian on the wire:
//
//    0                   31 32                  63
//   +----------------------+----------------------+
//   | seconds since 1900   | fraction, 2^-32 s    |     era 0 ends on 2036-02-07
//   +----------------------+----------------------+
//
// PTPv2 truncated format (RFC 8186): 32 bits of seconds since 1970 (TAI), 32 bits of nanoseconds.
#pragma once

#include "base/time.hpp"

#include <cstdint>

namespace latmon {

// The 64 bits as they stand on the wire, in host order. Also the nonce that a reply must echo.
struct WireTime {
    std::uint64_t bits = 0;
    friend bool operator==(WireTime, WireTime) noexcept = default;
};

// Rounds to the nearest fraction, so that ns -> NTP -> ns is exact for every ns.
[[nodiscard]] WireTime to_ntp(WallTime time) noexcept;

// The moment within +-68 years of `near` that has these bits: unfolds the era (RFC 5905 section 6).
[[nodiscard]] WallTime from_ntp(WireTime time, WallTime near) noexcept;

// PTPv2 truncated, read as a moment near `near` after removal of `tai_offset` (TAI - UTC). The
// nanoseconds may be out of range (>= 1e9) in a hostile packet: they are then taken modulo nothing,
// just added. Unfolds the 32-bit seconds, which wrap in 2106.
[[nodiscard]] WallTime from_ptp(WireTime time, WallTime near, Duration tai_offset) noexcept;

// PTPv2 truncated, of `time` with `tai_offset` (TAI - UTC) added: from_ptp() gives `time` back. A
// caller that does not know the offset must send NTP instead: zero would be 37 s wrong.
[[nodiscard]] WireTime to_ptp(WallTime time, Duration tai_offset) noexcept;

// Error Estimate (RFC 4656 section 4.1.2, RFC 8186 section 2): S(1) Z(1) Scale(6) Multiplier(8),
// error in seconds = Multiplier * 2^(Scale - 32).
struct ErrorEstimate {
    bool is_synchronized = false;  // S: the clock is synchronised to UTC by an external source.
    bool is_ptp = false;           // Z: timestamps are PTPv2 truncated, not NTP.
    Duration error;                // Always rounded up when encoded.
    friend bool operator==(const ErrorEstimate&, const ErrorEstimate&) noexcept = default;
};

// The smallest Scale whose Multiplier fits 8 bits, rounded up: never claims less error than given.
// An error of 0 or less becomes the smallest that can be said (Multiplier 1, Scale 0).
[[nodiscard]] std::uint16_t encode_error_estimate(const ErrorEstimate& estimate) noexcept;

// A Multiplier of 0 is corrupt (RFC 4656 section 4.1.2): the result's `error` is then negative. An
// error beyond what Duration holds is given as the largest Duration.
[[nodiscard]] ErrorEstimate decode_error_estimate(std::uint16_t bits) noexcept;

}  // namespace latmon
