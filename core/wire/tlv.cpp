// SPDX-License-Identifier: Apache-2.0
//
// See tlv.hpp.
#include "wire/tlv.hpp"

#include "base/assert.hpp"
#include "wire/octets.hpp"

namespace latmon {
namespace {

constexpr std::size_t flags_at = 0;
constexpr std::size_t type_at = 1;
constexpr std::size_t length_at = 2;

}  // namespace

bool is_known_tlv(std::uint8_t type) noexcept {
    switch (static_cast<TlvType>(type)) {
        case TlvType::extra_padding:
        case TlvType::location:
        case TlvType::timestamp_info:
        case TlvType::class_of_service:
        case TlvType::direct_measurement:
        case TlvType::access_report:
        case TlvType::follow_up:
        case TlvType::hmac:
        case TlvType::descriptor:
        case TlvType::exchange:
            return true;
    }
    return false;
}

std::optional<TlvView> TlvReader::next() noexcept {
    const std::span<const std::byte> left = rest();
    if (left.size() < tlv_header_bytes) return std::nullopt;
    const std::span<const std::byte, tlv_header_bytes> header = left.first<tlv_header_bytes>();
    const std::size_t value_bytes = load_big_endian<std::uint16_t, length_at>(header);
    if (value_bytes > left.size() - tlv_header_bytes) return std::nullopt;
    const TlvView view{.flags = load_big_endian<std::uint8_t, flags_at>(header),
                       .type = load_big_endian<std::uint8_t, type_at>(header),
                       .value = left.subspan(tlv_header_bytes, value_bytes),
                       .at = at_};
    at_ += tlv_header_bytes + value_bytes;
    return view;
}

bool TlvReader::is_malformed() const noexcept {
    const std::span<const std::byte> left = rest();
    if (left.size() < tlv_header_bytes) return false;
    const std::span<const std::byte, tlv_header_bytes> header = left.first<tlv_header_bytes>();
    return load_big_endian<std::uint16_t, length_at>(header) > left.size() - tlv_header_bytes;
}

void encode_tlv_header(std::uint8_t flags, TlvType type, std::size_t value_bytes,
                       TlvHeader out) noexcept {
    LATMON_ASSERT(value_bytes <= tlv_value_bytes_max);
    store_big_endian<flags_at>(out, flags);
    store_big_endian<type_at>(out, static_cast<std::uint8_t>(type));
    store_big_endian<length_at>(out, static_cast<std::uint16_t>(value_bytes));
}

void set_tlv_flags(std::span<std::byte> tlvs, std::size_t at, unsigned flags) noexcept {
    LATMON_ASSERT(at < tlvs.size());
    tlvs[at] = static_cast<std::byte>(flags);
}

}  // namespace latmon
