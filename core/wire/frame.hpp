// SPDX-License-Identifier: Apache-2.0
//
// STAMP over TCP: the same PDUs as over UDP, in frames over one kept connection. Each side opens
// with a preface; then frames follow back to back. Pure; used on core-threads; allocates nothing.
//
//   Preface, 16 octets                        Frame
//    0  'L' 'M' 'N' '1'          4             0  Length of the PDU         2   44..65,507
//    4  Version, 1               1             2  Type                      1   FrameType
//    5  Flags, 0                 1             3  Zero                      1
//    6  SSID                     2             4  PDU, as in a UDP datagram
//    8  Boot nonce               8
#pragma once

#include "base/limits.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace latmon {

inline constexpr std::uint32_t preface_bytes = 16;
inline constexpr std::uint32_t frame_header_bytes = 4;
inline constexpr std::uint8_t preface_version = 1;

struct Preface {
    std::uint8_t version = preface_version;
    std::uint8_t flags = 0;
    std::uint16_t ssid = 0;
    std::uint64_t boot_nonce = 0;  // Random per process: tells a restarted peer from the same one.
    friend bool operator==(const Preface&, const Preface&) noexcept = default;
};

enum class FrameType : std::uint8_t { probe = 1, reflected = 2, descriptor = 3, bye = 4 };

struct FrameHeader {
    std::uint16_t pdu_bytes = 0;
    FrameType type = FrameType::probe;
    friend bool operator==(const FrameHeader&, const FrameHeader&) noexcept = default;
};

void encode_preface(const Preface& preface, std::span<std::byte, preface_bytes> out) noexcept;

// Nothing if the magic or the version is not ours.
[[nodiscard]] std::optional<Preface> decode_preface(
    std::span<const std::byte, preface_bytes> data) noexcept;

void encode_frame_header(const FrameHeader& header,
                         std::span<std::byte, frame_header_bytes> out) noexcept;

// Nothing if the length is out of [44, 65,507], the type unknown or the zero not zero: the stream
// is then out of step, and the only cure is to close it.
[[nodiscard]] std::optional<FrameHeader> decode_frame_header(
    std::span<const std::byte, frame_header_bytes> data) noexcept;

// What a connection's first octet says about who is calling.
enum class StreamKind : std::uint8_t {
    latmon,    // 0x4C 'L'
    ancestor,  // '0'..'9': the Python tool latency-monitor
    tls,       // 0x16: a TLS hello
    garbage
};
[[nodiscard]] StreamKind stream_kind(std::byte first) noexcept;

}  // namespace latmon
