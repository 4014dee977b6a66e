// SPDX-License-Identifier: Apache-2.0
//
// What a simulated target understands and how it answers, over UDP and TCP alike: STAMP, with or
// without a key, or the packets of the Python tool latency-monitor. A request becomes its reply
// where it stands, and as long. The octets are those of core/wire. Owned by one thread.
#pragma once

#include "base/time.hpp"
#include "wire/hmac.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace latmon::loadgen {

enum class PacketKind : std::uint8_t { stamp, ancestor };

// "stamp" or "latency-monitor".
[[nodiscard]] std::string_view to_text(PacketKind kind) noexcept;

struct ReplyFacts {
    WallTime t2;
    WallTime t3;
    Duration dwell;              // From the kernel's receipt of the request to our reading it.
    std::uint32_t sequence = 0;  // Of the reply.
    std::uint8_t ttl = 0;        // Of the request as received; 0: unknown.
    bool has_kernel_t2 = false;  // T2 is the kernel's stamp.
};

class TargetFormat {
public:
    // `key`: null without authentication, and with `ancestor`; outlives this.
    explicit TargetFormat(PacketKind kind, const HmacKey* key = nullptr) noexcept
        : kind_(kind), key_(key) {}

    [[nodiscard]] PacketKind kind() const noexcept { return kind_; }

    // The session id (0: none) of a request that write() can answer. Nothing if `packet` is none:
    // too short, not sealed with our key, of the other kind, or a reply itself.
    [[nodiscard]] std::optional<std::uint16_t> read(std::span<const std::byte> packet,
                                                    WallTime now) const noexcept;

    // `packet` is one that read() took, and becomes the reply.
    void write(std::span<std::byte> packet, const ReplyFacts& facts);

private:
    void write_stamp(std::span<std::byte> packet, const ReplyFacts& facts) const noexcept;
    void write_ancestor(std::span<std::byte> packet, const ReplyFacts& facts);

    PacketKind kind_;
    const HmacKey* key_;
    std::string tags_;  // Of the request under way, which the reply is written over.
};

}  // namespace latmon::loadgen
