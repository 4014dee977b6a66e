// SPDX-License-Identifier: Apache-2.0
//
// What one core-thread counts over all of its probes beside their own accounts: who made the
// stamps, how one-way delays were classed, what samples were tainted by, and what peers said of
// themselves. Written by the core-thread, read by any.
#pragma once

#include "sample/sample_queue.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace latmon {

// By bit number of LATMON_BLAME_.
inline constexpr std::array<std::string_view, 7> blame_names{
    "sent_late", "received_late", "loop_stalled",  "overflow",
    "cpu_steal", "clock_stepped", "clock_unsynced"};

// By latmon_owd_class_t.
inline constexpr std::array<std::string_view, 5> owd_class_names{"none", "bounded", "estimated",
                                                                 "relative", "falsified"};

// By latmon_stamp_t, of our own stamps.
inline constexpr std::array<std::string_view, 4> stamp_names{"none", "hw", "kernel", "user"};

// What became of a descriptor that came to our reflector.
enum class DescriptorFate : std::uint8_t {
    accepted,     // The first of its session, or a new one.
    unchanged,    // As accepted before.
    limited,      // Another one, too soon after that.
    not_allowed,  // Anybody may be reflected here, and this peer is nobody the operator named.
    invalid,      // It breaks the rules of a descriptor.
    dropped       // The main-thread was behind; it is taken when it is said again.
};

// By DescriptorFate.
inline constexpr std::array<std::string_view, 6> descriptor_fate_names{
    "accepted", "unchanged", "limited", "not_allowed", "invalid", "dropped"};

struct CoreCounters {
    std::array<PublishedCounter, blame_names.size()> tainted;  // Samples with that bit.
    std::array<PublishedCounter, owd_class_names.size()> owd;  // Answered exchanges of that class.
    std::array<PublishedCounter, stamp_names.size()> t1;       // Answered exchanges, T1 so stamped.
    std::array<PublishedCounter, stamp_names.size()> t4;
    std::array<PublishedCounter, descriptor_fate_names.size()> descriptors;  // By DescriptorFate.
    PublishedCounter path_clock_resets;      // Offset windows that were begun anew.
    PublishedCounter ssid_zero;              // Replies that gave our session id back as 0.
    PublishedCounter tlvs_unrecognized;      // TLVs of replies that the reflector did not know,
    PublishedCounter tlvs_malformed;         // could not read,
    PublishedCounter tlvs_failed_integrity;  // or could not verify; or that we could not.
    PublishedCounter unauthenticated;        // Replies whose HMAC is wrong or missing.
    PublishedCounter socket_drops;           // Datagrams our receive buffers had no room for.

    void count(DescriptorFate fate) noexcept { descriptors[static_cast<std::size_t>(fate)].add(1); }
    [[nodiscard]] std::uint64_t read(DescriptorFate fate) const noexcept {
        return descriptors[static_cast<std::size_t>(fate)].read();
    }
};

}  // namespace latmon
