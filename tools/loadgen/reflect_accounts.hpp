// SPDX-License-Identifier: Apache-2.0
//
// What all threads of `loadgen reflect` did, put together, and whether that adds up and can be
// trusted. Main thread, when the threads have ended.
#pragma once

#include "loadgen/histogram.hpp"
#include "loadgen/reflect_counts.hpp"
#include "loadgen/trust.hpp"

#include <cstdint>

namespace latmon::loadgen {

struct ReflectAccounts {
    UdpCounts udp;
    TcpCounts tcp;
    Histogram udp_read_lateness;
    Histogram tcp_read_lateness;
    Histogram departure_lateness;  // Of delayed replies, over both.
};

// Adds those of one thread.
void add_counts(const UdpCounts& counts, UdpCounts& to) noexcept;
void add_counts(const TcpCounts& counts, TcpCounts& to) noexcept;

// Everything that came has exactly one fate.
[[nodiscard]] bool is_balanced(const ReflectAccounts& accounts) noexcept;

// Over UDP and TCP together.
[[nodiscard]] std::uint64_t answered(const ReflectAccounts& accounts) noexcept;

// Why the run cannot be put down to latmon: what only our own want of room or time explains, and
// what we do not know of ourselves.
void doubt(const ReflectAccounts& accounts, Trust& trust);

}  // namespace latmon::loadgen
