// SPDX-License-Identifier: Apache-2.0
//
// See window_code.hpp.
#include "stats/window_code.hpp"

#include "base/assert.hpp"

#include <bit>
#include <cstring>

namespace latmon {
namespace {

bool is_aligned(const std::byte* at) noexcept {
    return std::bit_cast<std::uintptr_t>(at) % window_code_alignment == 0;
}

}  // namespace

std::size_t encoded_bytes(const latmon_window_t& window) noexcept {
    return sizeof(window) + window.bucket_count * sizeof(latmon_bucket_t);
}

std::size_t encode(const latmon_window_t& window, std::span<std::byte> into) noexcept {
    const std::size_t bytes = encoded_bytes(window);
    LATMON_ASSERT(bytes <= into.size() && is_aligned(into.data()));
    latmon_window_t head = window;
    head.buckets = nullptr;
    std::memcpy(into.data(), &head, sizeof(head));
    if (window.bucket_count > 0) {
        std::memcpy(into.data() + sizeof(head), window.buckets, bytes - sizeof(head));
    }
    return bytes;
}

std::size_t decode(std::span<const std::byte> from, latmon_window_t& window) noexcept {
    LATMON_ASSERT(from.size() >= sizeof(window) && is_aligned(from.data()));
    std::memcpy(&window, from.data(), sizeof(window));
    const std::size_t bytes = encoded_bytes(window);
    LATMON_ASSERT(bytes <= from.size());
    // Aligned as the whole is, and of a type that may be what octets were copied to.
    window.buckets = reinterpret_cast<const latmon_bucket_t*>(from.data() + sizeof(window));
    return bytes;
}

}  // namespace latmon
