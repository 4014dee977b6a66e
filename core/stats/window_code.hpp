// SPDX-License-Identifier: Apache-2.0
//
// A window as octets, to go through a queue from the aggregator's thread to an exporter's: the
// struct of the ABI and behind it its buckets, with no pointer in them. Octets are this machine's
// own; nothing here is meant for a file or a wire. Pure.
#pragma once

#include <latmon/window.h>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace latmon {

// Every encoded window begins at a multiple of this, and its length is one.
inline constexpr std::size_t window_code_alignment = 8;

static_assert(std::is_trivially_copyable_v<latmon_window_t>);
static_assert(alignof(latmon_window_t) == window_code_alignment);
static_assert(sizeof(latmon_window_t) % window_code_alignment == 0);
static_assert(sizeof(latmon_bucket_t) == window_code_alignment);

// How many octets encode() writes: those of the struct, and 8 for each bucket. [any-thread]
[[nodiscard]] std::size_t encoded_bytes(const latmon_window_t& window) noexcept;

// Writes `window` to the start of `into`, which is aligned and has room for encoded_bytes(); what
// is behind is left alone. Returns encoded_bytes(). [any-thread]
std::size_t encode(const latmon_window_t& window, std::span<std::byte> into) noexcept;

// Reads the window that `from` begins with, which encode() wrote; more may follow it. The buckets
// of `window` point into `from` and live as long as it. Returns what the window takes, so that the
// next one begins there. [any-thread]
std::size_t decode(std::span<const std::byte> from, latmon_window_t& window) noexcept;

}  // namespace latmon
