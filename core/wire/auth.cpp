// SPDX-License-Identifier: Apache-2.0
//
// See auth.hpp.
#include "wire/auth.hpp"

#include "wire/octets.hpp"

#include <algorithm>

namespace latmon {
namespace {

// Offsets that both packets share (RFC 8762 figures 4 and 6, RFC 8972 section 3).
constexpr std::size_t sequence_at = 0;
constexpr std::size_t timestamp_at = 16;
constexpr std::size_t error_estimate_at = 24;
constexpr std::size_t ssid_at = 26;
constexpr std::size_t hmac_at = 96;
// The reflector's alone.
constexpr std::size_t t2_at = 32;
constexpr std::size_t sender_sequence_at = 48;
constexpr std::size_t sender_t1_at = 64;
constexpr std::size_t sender_error_estimate_at = 72;
constexpr std::size_t sender_ttl_at = 80;

static_assert(hmac_at + mac_bytes == stamp_auth_base_bytes);

using BaseView = std::span<const std::byte, stamp_auth_base_bytes>;

void seal(const HmacKey& key, StampAuthBase out) noexcept {
    const Mac mac = key.mac(out.first<hmac_at>());
    std::copy(mac.begin(), mac.end(), out.begin() + hmac_at);
}

}  // namespace

void encode_sender_auth(const SenderPacket& packet, const HmacKey& key,
                        StampAuthBase out) noexcept {
    std::fill(out.begin(), out.end(), std::byte{0});
    store_big_endian<sequence_at>(out, packet.sequence);
    store_big_endian<timestamp_at>(out, packet.t1.bits);
    store_big_endian<error_estimate_at>(out, packet.error_estimate);
    store_big_endian<ssid_at>(out, packet.ssid);
    seal(key, out);
}

void encode_reflector_auth(const ReflectorPacket& packet, const HmacKey& key,
                           StampAuthBase out) noexcept {
    std::fill(out.begin(), out.end(), std::byte{0});
    store_big_endian<sequence_at>(out, packet.sequence);
    store_big_endian<timestamp_at>(out, packet.t3.bits);
    store_big_endian<error_estimate_at>(out, packet.error_estimate);
    store_big_endian<ssid_at>(out, packet.ssid);
    store_big_endian<t2_at>(out, packet.t2.bits);
    store_big_endian<sender_sequence_at>(out, packet.sender_sequence);
    store_big_endian<sender_t1_at>(out, packet.sender_t1.bits);
    store_big_endian<sender_error_estimate_at>(out, packet.sender_error_estimate);
    store_big_endian<sender_ttl_at>(out, packet.sender_ttl);
    seal(key, out);
}

bool verify_auth(std::span<const std::byte> data, const HmacKey& key) noexcept {
    if (data.size() < stamp_auth_base_bytes) return false;
    const BaseView base = data.first<stamp_auth_base_bytes>();
    return key.verify(base.first<hmac_at>(), {}, base.last<mac_bytes>());
}

std::optional<SenderPacket> decode_sender_auth(std::span<const std::byte> data) noexcept {
    if (data.size() < stamp_auth_base_bytes) return std::nullopt;
    const BaseView base = data.first<stamp_auth_base_bytes>();
    return SenderPacket{
        .sequence = load_big_endian<std::uint32_t, sequence_at>(base),
        .t1 = {load_big_endian<std::uint64_t, timestamp_at>(base)},
        .error_estimate = load_big_endian<std::uint16_t, error_estimate_at>(base),
        .ssid = load_big_endian<std::uint16_t, ssid_at>(base),
    };
}

std::optional<ReflectorPacket> decode_reflector_auth(std::span<const std::byte> data) noexcept {
    if (data.size() < stamp_auth_base_bytes) return std::nullopt;
    const BaseView base = data.first<stamp_auth_base_bytes>();
    return ReflectorPacket{
        .sequence = load_big_endian<std::uint32_t, sequence_at>(base),
        .t3 = {load_big_endian<std::uint64_t, timestamp_at>(base)},
        .error_estimate = load_big_endian<std::uint16_t, error_estimate_at>(base),
        .ssid = load_big_endian<std::uint16_t, ssid_at>(base),
        .t2 = {load_big_endian<std::uint64_t, t2_at>(base)},
        .sender_sequence = load_big_endian<std::uint32_t, sender_sequence_at>(base),
        .sender_t1 = {load_big_endian<std::uint64_t, sender_t1_at>(base)},
        .sender_error_estimate = load_big_endian<std::uint16_t, sender_error_estimate_at>(base),
        .sender_ttl = load_big_endian<std::uint8_t, sender_ttl_at>(base),
    };
}

std::size_t base_bytes_of(const HmacKey* key) noexcept {
    return key == nullptr ? limits::stamp_base_bytes : stamp_auth_base_bytes;
}

void encode_sender(const SenderPacket& packet, const HmacKey* key,
                   std::span<std::byte> out) noexcept {
    if (key == nullptr) {
        encode_sender(packet, out.first<limits::stamp_base_bytes>());
    } else {
        encode_sender_auth(packet, *key, out.first<stamp_auth_base_bytes>());
    }
}

void encode_reflector(const ReflectorPacket& packet, const HmacKey* key,
                      std::span<std::byte> out) noexcept {
    if (key == nullptr) {
        encode_reflector(packet, out.first<limits::stamp_base_bytes>());
    } else {
        encode_reflector_auth(packet, *key, out.first<stamp_auth_base_bytes>());
    }
}

std::optional<SenderPacket> decode_sender(std::span<const std::byte> data,
                                          const HmacKey* key) noexcept {
    return key == nullptr ? decode_sender(data) : decode_sender_auth(data);
}

std::optional<ReflectorPacket> decode_reflector(std::span<const std::byte> data,
                                                const HmacKey* key) noexcept {
    return key == nullptr ? decode_reflector(data) : decode_reflector_auth(data);
}

}  // namespace latmon
