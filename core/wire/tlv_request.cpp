// SPDX-License-Identifier: Apache-2.0
//
// See tlv_request.hpp.
#include "wire/tlv_request.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "wire/location.hpp"
#include "wire/tlv.hpp"

#include <algorithm>
#include <array>

namespace latmon {
namespace {

struct Entry {
    TlvSet bit;
    TlvType type;
    std::uint32_t value_bytes;
};

constexpr std::array<Entry, 7> entries{{
    {tlv_set::exchange, TlvType::exchange, exchange_bytes},
    {tlv_set::follow_up, TlvType::follow_up, follow_up_bytes},
    {tlv_set::timestamp_info, TlvType::timestamp_info, timestamp_info_bytes},
    {tlv_set::class_of_service, TlvType::class_of_service, class_of_service_bytes},
    {tlv_set::direct_measurement, TlvType::direct_measurement, direct_measurement_bytes},
    {tlv_set::location, TlvType::location, location_request_bytes},
    {tlv_set::access_report, TlvType::access_report, access_report_bytes},
}};

// Whoever does not clear U has not looked (RFC 8972 section 4).
constexpr std::uint8_t request_flags = tlv_flags::unrecognized;

// Octets of the TLVs that fit into `room`, beside `sealed_bytes` for an HMAC TLV, into `included`.
std::uint32_t choose(TlvSet wanted, std::uint32_t room, std::uint32_t sealed_bytes,
                     TlvSet& included) noexcept {
    std::uint32_t used = 0;
    for (const Entry& entry : entries) {
        const std::uint32_t size = tlv_header_bytes + entry.value_bytes;
        if ((wanted & entry.bit) == 0 || used + size + sealed_bytes > room) continue;
        used += size;
        included |= entry.bit;
    }
    return used;
}

void encode_value(TlvSet bit, const RequestTlvs& values, std::span<std::byte> out) noexcept {
    switch (bit) {
        case tlv_set::exchange:
            encode_exchange({.flags = values.exchange_flags, .clock_epoch = values.clock_epoch},
                            out.first<exchange_bytes>());
            break;
        case tlv_set::follow_up:
            encode_follow_up({}, out.first<follow_up_bytes>());
            break;
        case tlv_set::timestamp_info:
            encode_timestamp_info({}, out.first<timestamp_info_bytes>());
            break;
        case tlv_set::class_of_service:
            encode_class_of_service({.dscp1 = values.reply_dscp},
                                    out.first<class_of_service_bytes>());
            break;
        case tlv_set::direct_measurement:
            encode_direct_measurement({.sender_sent = values.sent_count},
                                      out.first<direct_measurement_bytes>());
            break;
        case tlv_set::location:
            encode_location_request(out.first<location_request_bytes>());
            break;
        case tlv_set::access_report:
            encode_access_report(values.access_report, out.first<access_report_bytes>());
            break;
        default:
            break;
    }
}

TlvHeader header_at(std::span<std::byte> tlvs, std::size_t at) noexcept {
    return tlvs.subspan(at).first<tlv_header_bytes>();
}

}  // namespace

TlvLayout layout_tlvs(TlvSet wanted, std::uint32_t base_bytes, std::uint32_t packet_bytes,
                      bool is_authenticated) noexcept {
    const bool is_exact = packet_bytes == 0;
    const std::uint32_t bytes_max = is_exact ? limits::probe_bytes_max : packet_bytes;
    LATMON_ASSERT(base_bytes <= bytes_max && bytes_max <= limits::probe_bytes_max);
    const std::uint32_t room = bytes_max - base_bytes;
    const bool is_hmac_wanted = (wanted & tlv_set::hmac) != 0;

    TlvLayout layout;
    const std::uint32_t sealed_bytes = is_hmac_wanted || is_authenticated ? hmac_tlv_bytes : 0;
    std::uint32_t used = choose(wanted, room, sealed_bytes, layout.included);
    const bool has_hmac = (is_hmac_wanted && sealed_bytes <= room) ||
                          (is_authenticated && layout.included != tlv_set::none);
    const std::uint32_t hmac_bytes = has_hmac ? hmac_tlv_bytes : 0;
    const std::uint32_t left = is_exact ? 0 : room - used - hmac_bytes;
    if (has_hmac) {
        layout.included |= tlv_set::hmac;
        layout.hmac_at = used;
        used += hmac_bytes;
    }
    // Behind the HMAC TLV, which does not cover it then (RFC 8972 section 4.8): it may be long.
    if (left >= tlv_header_bytes) {
        layout.padding_at = used;
        layout.padding_bytes = left;
    }
    layout.tlv_bytes = is_exact ? used : room;
    layout.packet_bytes = base_bytes + layout.tlv_bytes;
    return layout;
}

std::uint32_t own_tlv_bytes(const TlvLayout& layout) noexcept {
    if (layout.padding_bytes > 0) return layout.padding_at + tlv_header_bytes;
    return (layout.included & tlv_set::hmac) != 0 ? layout.hmac_at + hmac_tlv_bytes
                                                  : layout.tlv_bytes;
}

void encode_request_tlvs(const TlvLayout& layout, const RequestTlvs& values,
                         std::span<std::byte> out) noexcept {
    LATMON_ASSERT(out.size() >= own_tlv_bytes(layout));
    std::size_t at = 0;
    for (const Entry& entry : entries) {
        if ((layout.included & entry.bit) == 0) continue;
        encode_tlv_header(request_flags, entry.type, entry.value_bytes, header_at(out, at));
        encode_value(entry.bit, values, out.subspan(at + tlv_header_bytes, entry.value_bytes));
        at += tlv_header_bytes + entry.value_bytes;
    }
    if (layout.padding_bytes != 0) {
        encode_tlv_header(request_flags, TlvType::extra_padding,
                          layout.padding_bytes - tlv_header_bytes,
                          header_at(out, layout.padding_at));
    }
    if ((layout.included & tlv_set::hmac) == 0) return;
    LATMON_ASSERT(values.key != nullptr);
    encode_tlv_header(request_flags, TlvType::hmac, mac_bytes, header_at(out, layout.hmac_at));
    seal_tlvs(out, layout.hmac_at, values.sequence, *values.key);
}

}  // namespace latmon
