// SPDX-License-Identifier: Apache-2.0
//
// The octets of a probe in the ancestor's format: head, then padding of '0'. All packets of a probe
// have one length, the configured one or that of the longest head, so that what is measured does
// not change with the digits of a number. The padding is one array that all probes share. Owned by
// one probe; used on its core-thread; allocates nothing after construction.
#pragma once

#include "config/plan.hpp"
#include "reactor/message.hpp"
#include "wire/ancestor.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

// What differs from packet to packet.
struct AncestorRequest {
    std::uint32_t sequence = 0;  // Of the exchange.
    std::uint8_t number = 0;     // The same, as the packet says it.
    std::uint8_t hello = 0;      // AncestorPacket::hello
    std::int64_t t1_ns = 0;      // Since 1970.
};

class AncestorTemplate {
public:
    // Null, if the plan does not speak the ancestor's format. [set-up]
    [[nodiscard]] static std::unique_ptr<AncestorTemplate> make(const ProbePlan& plan);

    // Tags that there is no room for are left out. [set-up]
    explicit AncestorTemplate(const ProbePlan& plan);
    AncestorTemplate(const AncestorTemplate&) = delete;
    AncestorTemplate& operator=(const AncestorTemplate&) = delete;

    // Writes the packet. Not while a send of it is under way. [core-thread]
    void write(const AncestorRequest& request) noexcept;
    // The key of the transmit stamp of the next send: see Message::set_key().
    void set_key(std::uint32_t key) noexcept { message_.set_key(key); }
    [[nodiscard]] const Message& message() const noexcept { return message_; }

    [[nodiscard]] std::uint32_t packet_bytes() const noexcept { return packet_bytes_; }
    // The longest reply that is no longer than it needs to be: any name, our tags, our padding.
    [[nodiscard]] std::uint32_t reply_bytes_max() const noexcept;

    // Whether a reply echoes our tags. That is all of us in it beside the number. [core-thread]
    [[nodiscard]] bool is_echoed_by(const AncestorPacket& reply) const noexcept {
        return reply.tags == tags_;
    }
    // The number of the packet of ours that begins with `start`, which ICMP gave back; nothing if
    // none of ours does. There is no T1 within so few octets. [core-thread]
    [[nodiscard]] std::optional<std::uint8_t> number_of(
        std::span<const std::byte> start) const noexcept;

private:
    std::string source_;
    std::string tags_;  // repr() of a list.
    std::vector<std::byte> head_;
    std::uint32_t packet_bytes_ = 0;
    Message message_;
};

// What of the target's tags has no room in the ancestor's packets and is not sent: one line for
// each target that such packets go to by configuration. [main-thread]
[[nodiscard]] std::vector<std::string> ancestor_warnings(const Plan& plan);

}  // namespace latmon
