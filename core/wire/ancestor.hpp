// SPDX-License-Identifier: Apache-2.0
//
// Packets of the Python tool latency-monitor, which may arrive on the same ports: recognised by a
// strict grammar and by nothing looser, because every one of them also reads as a STAMP request
// with an odd sequence number. Pure; used on core-threads; allocates nothing. Nothing in them is
// evaluated.
//
//   SEQUENCE|source|timestamp_ns|tags|000...        ASCII, padded with '0' to the configured size
#pragma once

#include <cstddef>
#include <span>

namespace latmon {

// True if the whole of `data` matches
//   ^(0|[1-9][0-9]{0,2})\|[^|\x00-\x1f]{1,255}\|[0-9]{16,20}\|[^|\x00]*\|0*$
// A STAMP request never does (its octets 16-43 are zero), nor does, but for odds below 1e-25, one
// with random padding. To be asked before a packet is read as STAMP. [any-thread]
[[nodiscard]] bool looks_like_ancestor(std::span<const std::byte> data) noexcept;

}  // namespace latmon
