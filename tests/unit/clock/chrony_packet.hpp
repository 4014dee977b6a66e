// SPDX-License-Identifier: Apache-2.0
//
// An answer of chronyd to "tracking", as chronyd 4.3 would give it on an ordinary host, and how to
// change it: numbers at offsets.
#pragma once

#include "clock/chrony_reply.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace latmon {

using ChronyPacket = std::array<std::byte, chrony_reply_bytes>;

template <typename T>
void put(ChronyPacket& packet, std::size_t offset, T value) {
    value = std::byteswap(value);
    std::memcpy(packet.data() + offset, &value, sizeof(T));
}

// Seconds as chronyd writes them: coefficient x 2^(exponent - 25).
inline void put_seconds(ChronyPacket& packet, std::size_t offset, int coefficient, int exponent) {
    const std::uint32_t bits = (static_cast<std::uint32_t>(exponent) << 25U) |
                               (static_cast<std::uint32_t>(coefficient) & 0x01FF'FFFFU);
    put(packet, offset, bits);
}

namespace chrony_offset {
inline constexpr std::size_t version = 0, kind = 1, command = 4, format = 6, status = 8,
                             sequence = 16, reference = 28, stratum = 52, leap = 54, time_high = 56,
                             time_low = 60, time_ns = 64, correction = 68, delay = 92,
                             dispersion = 96, interval = 100;
}

inline constexpr std::int64_t chrony_reference_s = 1'768'219'134;

// Stratum 3, -1/2048 s to correct, a delay of 1/64 s, a dispersion of 1/1024 s, updates every 64 s.
inline ChronyPacket good_chrony_packet(std::uint32_t sequence) {
    ChronyPacket packet{};
    put(packet, chrony_offset::version, std::uint8_t{6});
    put(packet, chrony_offset::kind, std::uint8_t{2});
    put(packet, chrony_offset::command, std::uint16_t{33});
    put(packet, chrony_offset::format, std::uint16_t{5});
    put(packet, chrony_offset::sequence, sequence);
    put(packet, chrony_offset::reference, std::uint32_t{0xC0000201});
    put(packet, chrony_offset::stratum, std::uint16_t{3});
    put(packet, chrony_offset::time_low, static_cast<std::uint32_t>(chrony_reference_s));
    put(packet, chrony_offset::time_ns, std::uint32_t{5});
    put_seconds(packet, chrony_offset::correction, -(1 << 23), -9);  // -2^-11
    put_seconds(packet, chrony_offset::delay, 1 << 23, -4);          // 2^-6
    put_seconds(packet, chrony_offset::dispersion, 1 << 23, -8);     // 2^-10
    put_seconds(packet, chrony_offset::interval, 1 << 23, 8);        // 64 s
    return packet;
}

}  // namespace latmon
