// SPDX-License-Identifier: Apache-2.0
//
// A hash that whoever sends us packets cannot aim: SipHash-1-3 (Aumasson and Bernstein, "SipHash: a
// fast short-input PRF", 2012) over whole 64-bit words, under a key that is drawn at random when
// the process starts. Without the key nobody can choose an address that falls into a given slot of
// a table. Pure; used on core-threads; allocates nothing.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

namespace latmon {

// 128 random bits, drawn once per process or per core, never shown.
struct HashKey {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
};

namespace hash_detail {

using State = std::array<std::uint64_t, 4>;

constexpr void mix(State& v) noexcept {
    v[0] += v[1];
    v[1] = std::rotl(v[1], 13) ^ v[0];
    v[0] = std::rotl(v[0], 32);
    v[2] += v[3];
    v[3] = std::rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = std::rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = std::rotl(v[1], 17) ^ v[2];
    v[2] = std::rotl(v[2], 32);
}

constexpr void absorb(State& v, std::uint64_t word) noexcept {
    v[3] ^= word;
    mix(v);
    v[0] ^= word;
}

}  // namespace hash_detail

// The same as SipHash-1-3 of the words' octets, little-endian. All 64 bits are equally good.
// [any-thread]
[[nodiscard]] constexpr std::uint64_t keyed_hash(HashKey key,
                                                 std::span<const std::uint64_t> words) noexcept {
    // The initial state spells "somepseudorandomlygeneratedbytes"; any constant that is not
    // symmetric would do.
    hash_detail::State v{
        key.low ^ 0x736f'6d65'7073'6575U,
        key.high ^ 0x646f'7261'6e64'6f6dU,
        key.low ^ 0x6c79'6765'6e65'7261U,
        key.high ^ 0x7465'6462'7974'6573U,
    };
    for (const std::uint64_t word : words) {
        hash_detail::absorb(v, word);
    }
    hash_detail::absorb(v,
                        std::uint64_t{words.size() * 8} << 56U);  // The length in octets, mod 256.
    v[2] ^= 0xff;
    for (int round = 0; round < 3; ++round) {
        hash_detail::mix(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

}  // namespace latmon
