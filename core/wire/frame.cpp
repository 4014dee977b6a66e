// SPDX-License-Identifier: Apache-2.0
//
// See frame.hpp.
#include "wire/frame.hpp"

#include "wire/octets.hpp"

namespace latmon {
namespace {

constexpr std::uint32_t magic = 0x4c4d4e31;  // "LMN1"
constexpr std::size_t magic_at = 0;
constexpr std::size_t version_at = 4;
constexpr std::size_t flags_at = 5;
constexpr std::size_t ssid_at = 6;
constexpr std::size_t boot_nonce_at = 8;

constexpr std::size_t pdu_bytes_at = 0;
constexpr std::size_t type_at = 2;
constexpr std::size_t zero_at = 3;

constexpr std::uint8_t tls_handshake = 0x16;  // ContentType, RFC 8446 section 5.1.

bool is_frame_type(std::uint8_t type) noexcept {
    return type >= static_cast<std::uint8_t>(FrameType::probe) &&
           type <= static_cast<std::uint8_t>(FrameType::bye);
}

}  // namespace

void encode_preface(const Preface& preface, std::span<std::byte, preface_bytes> out) noexcept {
    store_big_endian<magic_at>(out, magic);
    store_big_endian<version_at>(out, preface.version);
    store_big_endian<flags_at>(out, preface.flags);
    store_big_endian<ssid_at>(out, preface.ssid);
    store_big_endian<boot_nonce_at>(out, preface.boot_nonce);
}

std::optional<Preface> decode_preface(std::span<const std::byte, preface_bytes> data) noexcept {
    if (load_big_endian<std::uint32_t, magic_at>(data) != magic) return std::nullopt;
    const Preface preface{
        .version = load_big_endian<std::uint8_t, version_at>(data),
        .flags = load_big_endian<std::uint8_t, flags_at>(data),
        .ssid = load_big_endian<std::uint16_t, ssid_at>(data),
        .boot_nonce = load_big_endian<std::uint64_t, boot_nonce_at>(data),
    };
    if (preface.version != preface_version) return std::nullopt;
    return preface;
}

void encode_frame_header(const FrameHeader& header,
                         std::span<std::byte, frame_header_bytes> out) noexcept {
    store_big_endian<pdu_bytes_at>(out, header.pdu_bytes);
    store_big_endian<type_at>(out, static_cast<std::uint8_t>(header.type));
    store_big_endian<zero_at>(out, std::uint8_t{0});
}

std::optional<FrameHeader> decode_frame_header(
    std::span<const std::byte, frame_header_bytes> data) noexcept {
    const auto pdu_bytes = load_big_endian<std::uint16_t, pdu_bytes_at>(data);
    const auto type = load_big_endian<std::uint8_t, type_at>(data);
    if (pdu_bytes < limits::stamp_base_bytes || pdu_bytes > limits::probe_bytes_max) {
        return std::nullopt;
    }
    if (!is_frame_type(type) || data[zero_at] != std::byte{0}) return std::nullopt;
    return FrameHeader{.pdu_bytes = pdu_bytes, .type = static_cast<FrameType>(type)};
}

StreamKind stream_kind(std::byte first) noexcept {
    const auto octet = std::to_integer<std::uint8_t>(first);
    if (octet == magic >> 24U) return StreamKind::latmon;
    if (octet >= '0' && octet <= '9') return StreamKind::ancestor;
    if (octet == tls_handshake) return StreamKind::tls;
    return StreamKind::garbage;
}

}  // namespace latmon
