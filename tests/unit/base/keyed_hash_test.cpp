// SPDX-License-Identifier: Apache-2.0
//
// The hash is SipHash-1-3, and its key matters.
#include "base/keyed_hash.hpp"

#include <doctest/doctest.h>
#include <set>

namespace latmon {
namespace {

// Words whose octets are 00 01 02 03 ... in memory of a little-endian machine.
constexpr std::array<std::uint64_t, 4> counting{0x0706'0504'0302'0100, 0x0f0e'0d0c'0b0a'0908,
                                                0x1716'1514'1312'1110, 0x1f1e'1d1c'1b1a'1918};

TEST_CASE("keyed hash: agrees with CPython's SipHash-1-3 under the zero key") {
    // PYTHONHASHSEED=0 python3.11 -c 'print(hex(hash(bytes(range(N))) & (2**64 - 1)))', N = 8, 16,
    // 32
    const std::span<const std::uint64_t> words(counting);
    CHECK(keyed_hash({}, words.first(1)) == 0xead4'11e6'7ebe'2eea);
    CHECK(keyed_hash({}, words.first(2)) == 0x8972'1884'33a5'c5b7);
    CHECK(keyed_hash({}, words) == 0x31ef'8061'c910'629b);
}

TEST_CASE("keyed hash: both halves of the key change everything") {
    std::set<std::uint64_t> hashes;
    for (std::uint64_t bit = 0; bit < 64; ++bit) {
        hashes.insert(keyed_hash({.low = 1ULL << bit}, counting));
        hashes.insert(keyed_hash({.high = 1ULL << bit}, counting));
    }
    CHECK(hashes.size() == 128);
}

TEST_CASE("keyed hash: 65,536 neighbours spread evenly over 1,024 slots") {
    std::array<std::uint32_t, 1'024> hits{};
    for (std::uint64_t word = 0; word < 65'536; ++word) {
        ++hits[keyed_hash({1, 2}, {&word, 1}) & 1'023U];
    }
    for (const std::uint32_t count : hits) {  // 64 expected, standard deviation 8.
        CHECK(count > 16);
        CHECK(count < 112);
    }
}

}  // namespace
}  // namespace latmon
