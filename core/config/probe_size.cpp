// SPDX-License-Identifier: Apache-2.0
//
// Lengths of packets and TLVs.
#include "config/probe_size.hpp"

#include <array>

namespace latmon {
namespace {

// STAMP base packet with authentication, RFC 8762 section 4.2.2.
constexpr std::uint32_t authenticated_base_bytes = 112;
// HMAC TLV, RFC 8972 section 4.8: authenticated packets with TLVs have one more, this one.
constexpr std::uint32_t hmac_bytes = 20;

struct TlvLength {
    std::uint32_t bit;
    std::uint32_t length_bytes;  // With the 4 octets of the header.
};

// RFC 8972 sections 4.2 to 4.7, and the exchange TLV, which is our own. Location: two ports, and
// two sub-TLVs that hold an IPv6 address each. The order is that of the bits.
constexpr std::array<TlvLength, 7> tlv_lengths{{{tlv_exchange_bit, 20},
                                                {tlv_follow_up_bit, 20},
                                                {tlv_timestamp_info_bit, 8},
                                                {tlv_class_of_service_bit, 8},
                                                {tlv_direct_measurement_bit, 16},
                                                {tlv_location_bit, 48},
                                                {tlv_access_report_bit, 8}}};

}  // namespace

ProbeShape shape_of(const TargetConfig& target) noexcept {
    return ProbeShape{target.protocol, !target.key_file.empty(), target.tlvs};
}

std::uint32_t probe_bytes_min(const ProbeShape& shape) noexcept {
    if (shape.protocol == ProbeProtocol::ancestor) return 0;
    if (shape.protocol == ProbeProtocol::twamp_light) return limits::stamp_request_bytes_min;
    return shape.is_authenticated ? authenticated_base_bytes : limits::stamp_base_bytes;
}

std::uint32_t probe_bytes_needed(const ProbeShape& shape) noexcept {
    if (shape.protocol == ProbeProtocol::ancestor) return 0;
    if (shape.protocol == ProbeProtocol::twamp_light) return limits::stamp_base_bytes;
    std::uint32_t needed_bytes = probe_bytes_min(shape);
    if (shape.is_authenticated && shape.tlvs != 0) needed_bytes += hmac_bytes;
    for (const TlvLength& tlv : tlv_lengths) {
        if ((shape.tlvs & tlv.bit) != 0) needed_bytes += tlv.length_bytes;
    }
    return needed_bytes;
}

std::uint32_t tlvs_within(const ProbeShape& shape, std::uint32_t size_bytes) noexcept {
    if (!speaks_stamp(shape.protocol)) return 0;
    ProbeShape fitting = shape;
    fitting.tlvs = 0;
    for (const TlvLength& tlv : tlv_lengths) {
        ProbeShape more = fitting;
        more.tlvs |= shape.tlvs & tlv.bit;
        if (probe_bytes_needed(more) <= size_bytes) fitting = more;
    }
    return fitting.tlvs;
}

}  // namespace latmon
