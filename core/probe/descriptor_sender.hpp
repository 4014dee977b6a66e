// SPDX-License-Identifier: Apache-2.0
//
// The packets in which a probe tells its peer, if that is a latmon too, our name and the target's
// tags: when one is due, and its octets. They are no probes: what they cost in size must not be
// measured. Owned by one UDP probe; used on its core-thread; allocates nothing.
//
//   base packet 44 or 112 | descriptor TLV | Follow-Up TLV | HMAC TLV, with a key
#pragma once

#include "config/plan.hpp"
#include "probe/descriptor_packet.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace latmon {

class DescriptorSender {
public:
    // Due never, if the plan does not want it or our name breaks a rule of the descriptor. `key` is
    // null in the unauthenticated mode; all outlive this. [set-up]
    DescriptorSender(const ProbePlan& plan, std::uint64_t boot_nonce, const HmacKey* key,
                     DescriptorPacket& packet);
    DescriptorSender(const DescriptorSender&) = delete;
    DescriptorSender& operator=(const DescriptorSender&) = delete;

    // True if the peer does not know us yet, our clock has another epoch than we said, or it is
    // time to say it again; but never twice within a timeout, nor within a second, nor while
    // another probe's packet is under way. [core-thread]
    [[nodiscard]] bool is_due(Instant now, std::uint32_t clock_epoch) const noexcept;
    // The peer knows nothing (any more): the path is a new one, or the packet did not leave.
    void forget() noexcept { is_told_ = false; }

    // Takes the core's packet, writes it, and takes it for said. It is due. [core-thread]
    void write(const SenderPacket& packet, Instant now, std::uint32_t clock_epoch) noexcept;
    // The send of it has completed. [core-thread]
    void release() noexcept { packet_.is_taken = false; }

    // The key of the transmit stamp of the next send: see Message::set_key().
    void set_key(std::uint32_t key) noexcept { packet_.message.set_key(key); }
    [[nodiscard]] const Message& message() const noexcept { return packet_.message; }

private:
    const ProbePlan& plan_;
    const std::uint64_t boot_nonce_;
    const HmacKey* key_;
    DescriptorPacket& packet_;
    Instant told_at_;
    Instant not_before_;
    std::uint32_t told_epoch_ = 0;
    bool has_name_;  // There is something to say.
    bool is_told_ = false;
};

// What of names and tags breaks a rule of the descriptor and is therefore not told to peers: one
// line for the name, and one per target. [main-thread]
[[nodiscard]] std::vector<std::string> descriptor_warnings(const Plan& plan);

}  // namespace latmon
