// SPDX-License-Identifier: Apache-2.0
//
// The octets of a probe that are its own: frame header (TCP only), STAMP base packet and the header
// of the padding TLV. The padding itself is the core's shared zeros, so that a target with large
// packets costs no memory. Owned by one probe.
//
//   frame header 4 | base packet 44 | Extra Padding TLV header 0..4 |   zeros ...
//   <- TCP only -> <------------------ own ------------------------> <- shared ->
#pragma once

#include "reactor/message.hpp"
#include "wire/frame.hpp"
#include "wire/stamp.hpp"

#include <array>
#include <cstddef>
#include <span>

namespace latmon {

class PacketTemplate {
public:
    // `packet_bytes` of PDU, in [44, probe_bytes_max]; `zeros` are at least as many.
    PacketTemplate(std::uint32_t packet_bytes, bool is_framed,
                   std::span<const std::byte> zeros) noexcept {
        const std::uint32_t start = is_framed ? frame_header_bytes : 0;
        if (is_framed) {
            encode_frame_header(
                {.pdu_bytes = static_cast<std::uint16_t>(packet_bytes), .type = FrameType::probe},
                std::span(own_).first<frame_header_bytes>());
        }
        base_ = std::span(own_).subspan(start).first<limits::stamp_base_bytes>();
        const std::span<std::byte, tlv_header_bytes> tlv =
            std::span(own_).subspan(start + limits::stamp_base_bytes).first<tlv_header_bytes>();
        const std::uint32_t tlv_bytes = encode_padding_header(packet_bytes, tlv);
        const std::uint32_t own_bytes = start + limits::stamp_base_bytes + tlv_bytes;
        const std::uint32_t all_bytes = start + packet_bytes;
        message_.set_payload(std::span(own_).first(own_bytes), zeros.first(all_bytes - own_bytes));
    }
    PacketTemplate(const PacketTemplate&) = delete;
    PacketTemplate& operator=(const PacketTemplate&) = delete;

    // Writes the base packet; the rest stays. Not while a send of it is under way.
    void write(const SenderPacket& packet) noexcept { encode_sender(packet, *base_); }

    [[nodiscard]] const Message& message() const noexcept { return message_; }

private:
    std::array<std::byte, frame_header_bytes + limits::stamp_base_bytes + tlv_header_bytes> own_{};
    std::optional<StampBase> base_;
    Message message_;
};

}  // namespace latmon
