// SPDX-License-Identifier: Apache-2.0
//
// The octets of a probe that are its own: frame header (TCP only), STAMP base packet and TLVs. The
// padding is the core's shared zeros, so that a target with large packets costs no memory. Owned by
// one probe; used on its core-thread.
//
//   frame header 4 | base packet 44 or 112 | TLVs, header of Extra Padding |   zeros ...
//   <- TCP only -> <--------------------- own ----------------------------> <- shared ->
#pragma once

#include "config/plan.hpp"
#include "reactor/message.hpp"
#include "wire/hmac.hpp"
#include "wire/stamp.hpp"
#include "wire/tlv_request.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace latmon {

// What differs from packet to packet beside the base packet's own fields.
struct ProbeExtras {
    std::uint32_t clock_epoch = 0;
    std::uint32_t sent_count = 0;  // Probes of this session, this one included.
    bool is_synchronized = false;
};

class PacketTemplate {
public:
    // Empty, and not to be written, if the plan speaks the ancestor's format alone.
    // `zeros` are at least as many as the packet has octets; `key` is null in the unauthenticated
    // mode, and otherwise outlives this. [set-up]
    PacketTemplate(const ProbePlan& plan, std::span<const std::byte> zeros, const HmacKey* key);
    PacketTemplate(const PacketTemplate&) = delete;
    PacketTemplate& operator=(const PacketTemplate&) = delete;

    // Writes base packet and TLVs. Not while a send of it is under way.
    void write(const SenderPacket& packet, const ProbeExtras& extras) noexcept;
    // From now on the base packet of RFC 8762 alone, as long as before: no session id, no TLVs.
    void reduce_to_base() noexcept;

    // The key of the transmit stamp of the next send: see Message::set_key().
    void set_key(std::uint32_t key) noexcept { message_.set_key(key); }

    [[nodiscard]] const Message& message() const noexcept { return message_; }
    [[nodiscard]] std::uint32_t base_bytes() const noexcept { return base_bytes_; }
    [[nodiscard]] const TlvLayout& tlvs() const noexcept { return layout_; }

private:
    void lay_out(TlvSet wanted);

    std::vector<std::byte> own_;  // From the frame header to the header of the padding.
    std::span<const std::byte> zeros_;
    const HmacKey* key_;
    TlvLayout layout_;
    std::uint32_t packet_bytes_;
    std::uint32_t start_;  // Of the base packet, in own_.
    std::uint32_t base_bytes_;
    std::uint8_t dscp_;
    bool is_plain_;            // TWAMP-Light: no session id, no TLVs.
    bool is_reduced_ = false;  // The same in STAMP, for a reflector that knows neither.
    Message message_;
};

}  // namespace latmon
