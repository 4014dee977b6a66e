// SPDX-License-Identifier: Apache-2.0
//
// See stamp.hpp. A packet is first copied into 44 octets of our own, zero where the packet ends
// early, and read from there: no offset below depends on what arrived.
#include "wire/stamp.hpp"

#include "base/assert.hpp"
#include "wire/octets.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace latmon {
namespace {

// Offsets that both packets share (RFC 8762 figures 2 and 5, RFC 8972 figures 1 and 2).
constexpr std::size_t sequence_at = 0;
constexpr std::size_t timestamp_at = 4;
constexpr std::size_t error_estimate_at = 12;
constexpr std::size_t ssid_at = 14;
// The reflector's alone.
constexpr std::size_t t2_at = 16;
constexpr std::size_t sender_sequence_at = 24;
constexpr std::size_t sender_t1_at = 28;
constexpr std::size_t sender_error_estimate_at = 36;
constexpr std::size_t sender_ttl_at = 40;

using BaseOctets = std::array<std::byte, limits::stamp_base_bytes>;
using BaseView = std::span<const std::byte, limits::stamp_base_bytes>;

BaseOctets copy_base(std::span<const std::byte> data) noexcept {
    BaseOctets octets{};
    std::memcpy(octets.data(), data.data(), std::min(data.size(), octets.size()));
    return octets;
}

// The only type that this simple reflector knows.
unsigned flags_of_type(unsigned type) noexcept {
    return type == static_cast<unsigned>(TlvType::extra_padding) ? 0U : tlv_flags::unrecognized;
}

}  // namespace

void encode_sender(const SenderPacket& packet, StampBase out) noexcept {
    std::fill(out.begin(), out.end(), std::byte{0});
    store_big_endian<sequence_at>(out, packet.sequence);
    store_big_endian<timestamp_at>(out, packet.t1.bits);
    store_big_endian<error_estimate_at>(out, packet.error_estimate);
    store_big_endian<ssid_at>(out, packet.ssid);
}

void encode_reflector(const ReflectorPacket& packet, StampBase out) noexcept {
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
}

std::optional<SenderPacket> decode_sender(std::span<const std::byte> data) noexcept {
    if (data.size() < limits::stamp_request_bytes_min) return std::nullopt;
    const BaseOctets octets = copy_base(data);
    const BaseView base(octets);
    return SenderPacket{
        .sequence = load_big_endian<std::uint32_t, sequence_at>(base),
        .t1 = {load_big_endian<std::uint64_t, timestamp_at>(base)},
        .error_estimate = load_big_endian<std::uint16_t, error_estimate_at>(base),
        .ssid = load_big_endian<std::uint16_t, ssid_at>(base),
    };
}

std::optional<ReflectorPacket> decode_reflector(std::span<const std::byte> data) noexcept {
    if (data.size() < limits::stamp_reply_bytes_min) return std::nullopt;
    const BaseOctets octets = copy_base(data);
    const BaseView base(octets);
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

std::uint32_t encode_padding_header(std::uint32_t packet_bytes,
                                    std::span<std::byte, tlv_header_bytes> out) noexcept {
    LATMON_ASSERT(packet_bytes >= limits::stamp_base_bytes);
    LATMON_ASSERT(packet_bytes <= limits::probe_bytes_max);
    std::fill(out.begin(), out.end(), std::byte{0});
    const std::uint32_t behind_base = packet_bytes - limits::stamp_base_bytes;
    if (behind_base < tlv_header_bytes) return behind_base;
    // A sender sets U: whoever does not clear it has not looked (RFC 8972 section 4).
    encode_tlv_header(tlv_flags::unrecognized, TlvType::extra_padding,
                      behind_base - tlv_header_bytes, out);
    return tlv_header_bytes;
}

std::uint32_t reflect_tlvs(std::span<std::byte> tlvs) noexcept {
    std::uint32_t count = 0;
    TlvReader reader(tlvs);
    while (const std::optional<TlvView> tlv = reader.next()) {
        set_tlv_flags(tlvs, tlv->at, flags_of_type(tlv->type));
        ++count;
    }
    if (!reader.is_malformed()) return count;
    const std::size_t at = reader.position();
    const auto type = std::to_integer<unsigned>(tlvs[at + 1]);
    set_tlv_flags(tlvs, at, flags_of_type(type) | tlv_flags::malformed);
    return count + 1;
}

}  // namespace latmon
