// SPDX-License-Identifier: Apache-2.0
//
// Big-endian numbers out of and into octets, at offsets that are known to lie inside when the code
// is compiled. The one place where octets become numbers: no packet is ever cast to a struct. Pure;
// used on core-threads; allocates nothing.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>

namespace latmon {

template <std::unsigned_integral T>
[[nodiscard]] constexpr T swap_if_little_endian(T value) noexcept {
    if constexpr (std::endian::native == std::endian::little) return std::byteswap(value);
    return value;
}

// The number at `offset`. [any-thread]
template <std::unsigned_integral T, std::size_t offset, std::size_t extent>
[[nodiscard]] T load_big_endian(std::span<const std::byte, extent> data) noexcept {
    static_assert(extent != std::dynamic_extent && offset + sizeof(T) <= extent);
    T value;
    std::memcpy(&value, data.data() + offset, sizeof(T));
    return swap_if_little_endian(value);
}

// Puts `value` at `offset`. [any-thread]
template <std::size_t offset, std::unsigned_integral T, std::size_t extent>
void store_big_endian(std::span<std::byte, extent> out, T value) noexcept {
    static_assert(extent != std::dynamic_extent && offset + sizeof(T) <= extent);
    value = swap_if_little_endian(value);
    std::memcpy(out.data() + offset, &value, sizeof(T));
}

}  // namespace latmon
