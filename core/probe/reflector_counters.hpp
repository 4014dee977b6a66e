// SPDX-License-Identifier: Apache-2.0
//
// What became of every datagram that a reflector received: one counter per outcome, and their sum.
// Written by one core-thread, read by any.
#pragma once

#include "sample/sample_queue.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace latmon {

// In the order in which a datagram meets them. Appended to, never reordered: index of the counters.
enum class ReflectReason : std::uint8_t {
    reflected,               // Answered as STAMP.
    too_short,               // Below 14 octets, or below 44 from one who is not provisioned.
    too_long,                // Longer than any request, or cut by the kernel.
    bad_source_port,         // 0, below 1024, or a reflector's own.
    bad_source_address,      // Multicast, broadcast or unspecified.
    not_allowed,             // Not in the allow-list.
    rate_source,             // More than one source may send.
    rate_total,              // More than this core may answer.
    ancestor_refused,        // A packet of the Python tool latency-monitor's, if not answered.
    looped,                  // Itself a reflector's reply: answering it might never end.
    corrupt_error_estimate,  // Multiplier 0, RFC 4656 section 4.1.2.
    session_table_full,      // No place for another session.
    reply_failed,            // The kernel would not send the reply.
    not_started,             // It came before we were ready to tell when.
    unauthenticated,         // It must be authenticated, and is not, or with another key.
    replayed,                // Authenticated, but seen before.
    source_sessions_full,    // Its address has as many sessions as one may have.
    reflected_ancestor       // Answered as the ancestor's.
};
inline constexpr std::size_t reflect_reason_count = 18;
static_assert(static_cast<std::size_t>(ReflectReason::reflected_ancestor) + 1 ==
              reflect_reason_count);

// As in the names of metrics: "rate_source". [any-thread]
[[nodiscard]] constexpr std::string_view name(ReflectReason reason) noexcept {
    constexpr std::array<std::string_view, reflect_reason_count> names{"reflected",
                                                                       "too_short",
                                                                       "too_long",
                                                                       "bad_source_port",
                                                                       "bad_source_address",
                                                                       "not_allowed",
                                                                       "rate_source",
                                                                       "rate_total",
                                                                       "ancestor_refused",
                                                                       "looped",
                                                                       "corrupt_error_estimate",
                                                                       "session_table_full",
                                                                       "reply_failed",
                                                                       "not_started",
                                                                       "unauthenticated",
                                                                       "replayed",
                                                                       "source_sessions_full",
                                                                       "reflected_ancestor"};
    return names[static_cast<std::size_t>(reason)];
}

// received = sum over by_reason, whenever the writer looks; a reader on another thread may see one
// datagram in the one and not yet in the other.
struct ReflectorCounters {
    PublishedCounter received;
    std::array<PublishedCounter, reflect_reason_count> by_reason;  // Index: ReflectReason.

    // Called once per datagram, when its outcome is known. [core-thread]
    void count(ReflectReason reason) noexcept {
        received.add(1);
        by_reason[static_cast<std::size_t>(reason)].add(1);
    }
    // [any-thread]
    [[nodiscard]] std::uint64_t read(ReflectReason reason) const noexcept {
        return by_reason[static_cast<std::size_t>(reason)].read();
    }
};

}  // namespace latmon
