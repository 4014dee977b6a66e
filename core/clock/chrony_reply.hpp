// SPDX-License-Identifier: Apache-2.0
//
// The one question that we ask chronyd, "tracking", and its answer, as octets: version 6 of the
// protocol of its command port (candm.h of chrony 2.0 to 4.x). Pure: no socket, no clock. The
// answer comes from this host, but whoever can take the port can write it, so nothing in it is
// believed before it was checked. [any-thread]
#pragma once

#include "base/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace latmon {

// A request is as long as its answer, or chronyd does not answer: nobody can use it to amplify.
inline constexpr std::size_t chrony_request_bytes = 104;
inline constexpr std::size_t chrony_reply_bytes = 104;

// What chronyd knows of the clock, as of the moment of its answer.
struct ChronyTracking {
    std::uint32_t reference_id = 0;
    std::uint16_t stratum = 0;  // 0, 16 and more: not synchronised.
    std::uint16_t leap_status =
        0;                     // 0..2: none, a second to insert or to delete; 3: unsynchronised.
    WallTime reference_time;   // When it last heard of its source.
    Duration correction;       // What of the offset it has yet to slew off.
    Duration root_delay;       // Round trip to the primary source.
    Duration root_dispersion;  // Has been grown by chronyd up to its answer.
    Duration update_interval;  // Between the last two updates.
};

[[nodiscard]] std::array<std::byte, chrony_request_bytes> chrony_request(
    std::uint32_t sequence) noexcept;

// nullopt: not the answer to the request with this `sequence`, or a refusal. Durations beyond
// +-30 years come out as those.
[[nodiscard]] std::optional<ChronyTracking> decode_chrony_reply(std::span<const std::byte> reply,
                                                                std::uint32_t sequence) noexcept;

// The bound on the clock's error at `now`, the moment of the answer:
//
//      |correction| + root dispersion + root delay / 2
//
// (RFC 5905 section 11.2, "root distance", and what is yet to be corrected, which it leaves out.)
// If updates have failed to come for eight intervals, 15 ppm (PHI of RFC 5905) of the time since:
// chronyd's own growth is what it believes of the crystal. nullopt: the clock follows no source.
// That includes chronyd's "local" mode, in which it declares our own clock right, with error 0.
[[nodiscard]] std::optional<Duration> error_bound(const ChronyTracking& tracking,
                                                  WallTime now) noexcept;

}  // namespace latmon
