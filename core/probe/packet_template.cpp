// SPDX-License-Identifier: Apache-2.0
//
// See packet_template.hpp.
#include "probe/packet_template.hpp"

#include "base/assert.hpp"
#include "wire/auth.hpp"
#include "wire/frame.hpp"

#include <algorithm>

namespace latmon {
namespace {

// config/ names TLVs by bits of its own, because it does not see the wire.
static_assert(tlv_exchange_bit == tlv_set::exchange);
static_assert(tlv_follow_up_bit == tlv_set::follow_up);
static_assert(tlv_timestamp_info_bit == tlv_set::timestamp_info);
static_assert(tlv_class_of_service_bit == tlv_set::class_of_service);
static_assert(tlv_direct_measurement_bit == tlv_set::direct_measurement);
static_assert(tlv_location_bit == tlv_set::location);
static_assert(tlv_access_report_bit == tlv_set::access_report);

}  // namespace

PacketTemplate::PacketTemplate(const ProbePlan& plan, std::span<const std::byte> zeros,
                               const HmacKey* key)
    : zeros_(zeros),
      key_(key),
      packet_bytes_(plan.size_bytes),
      start_(plan.kind == ProbeKind::tcp ? frame_header_bytes : 0),
      base_bytes_(key != nullptr ? stamp_auth_base_bytes : limits::stamp_base_bytes),
      dscp_(plan.dscp),
      is_plain_(plan.kind == ProbeKind::udp && plan.protocol == ProbeProtocol::twamp_light) {
    if (plan.protocol == ProbeProtocol::ancestor) return;  // Nothing of this is ever sent.
    if (is_plain_) {
        own_.resize(base_bytes_);
        const std::uint32_t own_bytes = std::min(packet_bytes_, base_bytes_);
        message_.set_payload(std::span(own_).first(own_bytes),
                             zeros_.first(packet_bytes_ - own_bytes));
    } else {
        lay_out(plan.tlvs);
    }
    if (start_ > 0) {
        encode_frame_header(
            {.pdu_bytes = static_cast<std::uint16_t>(packet_bytes_), .type = FrameType::probe},
            std::span(own_).first<frame_header_bytes>());
    }
}

// Grows `own_` the first time only.
void PacketTemplate::lay_out(TlvSet wanted) {
    layout_ = layout_tlvs(wanted, base_bytes_, packet_bytes_, key_ != nullptr);
    LATMON_ASSERT(layout_.packet_bytes == packet_bytes_);
    const std::uint32_t own_bytes = start_ + base_bytes_ + own_tlv_bytes(layout_);
    if (own_.empty()) own_.resize(own_bytes);
    LATMON_ASSERT(own_bytes <= own_.size());
    message_.set_payload(std::span(own_).first(own_bytes),
                         zeros_.first(start_ + packet_bytes_ - own_bytes));
}

void PacketTemplate::reduce_to_base() noexcept {
    if (is_plain_ || is_reduced_) return;
    is_reduced_ = true;
    std::ranges::fill(std::span(own_).subspan(start_), std::byte{0});
    lay_out(tlv_set::none);
}

void PacketTemplate::write(const SenderPacket& packet, const ProbeExtras& extras) noexcept {
    SenderPacket base = packet;
    if (is_plain_ || is_reduced_) base.ssid = 0;
    const std::span<std::byte> rest = std::span(own_).subspan(start_);
    encode_sender(base, key_, rest);
    if (layout_.tlv_bytes == 0) return;
    const RequestTlvs values{
        .sequence = packet.sequence,
        .key = key_,
        .exchange_flags = extras.is_synchronized ? exchange_flags::synchronized : std::uint8_t{0},
        .clock_epoch = extras.clock_epoch,
        .reply_dscp = dscp_,
        .sent_count = extras.sent_count};
    encode_request_tlvs(layout_, values, rest.subspan(base_bytes_, own_tlv_bytes(layout_)));
}

}  // namespace latmon
