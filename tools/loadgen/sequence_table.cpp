// SPDX-License-Identifier: Apache-2.0
//
// See sequence_table.hpp.
#include "loadgen/sequence_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <span>

namespace latmon::loadgen {
namespace {

constexpr std::uint32_t set_places = 8;

// Multiplies by odd constants (the fractions of the golden ratio and of the square root of 2) and
// folds the high bits, which depend on all, onto the low ones.
std::uint64_t hash_of(const ProberKey& key) noexcept {
    const std::array<std::uint64_t, 2> source =
        std::bit_cast<std::array<std::uint64_t, 2>>(key.source);
    const std::uint64_t rest = std::uint64_t{key.target} << 32U |
                               std::uint64_t{key.source_port} << 16U | std::uint64_t{key.ssid};
    std::uint64_t hash = (source[0] * 3 ^ source[1]) * 0x9e37'79b9'7f4a'7c15U;
    hash = (hash ^ hash >> 32U ^ rest) * 0x6a09'e667'f3bc'c909U;
    return hash ^ hash >> 29U;
}

}  // namespace

SequenceTable::SequenceTable(std::uint32_t prober_count)
    : places_(std::bit_ceil(std::max<std::size_t>(prober_count, set_places))),
      set_mask_(places_.size() / set_places - 1) {}

std::uint32_t SequenceTable::next(const ProberKey& key) noexcept {
    const std::size_t first = (hash_of(key) & set_mask_) * set_places;
    const std::span<Place> set = std::span(places_).subspan(first, set_places);
    ++uses_;
    Place* oldest = &set.front();
    for (Place& place : set) {
        if (place.last_used != 0 && place.key == key) {
            place.last_used = uses_;
            return place.sequence++;
        }
        if (place.last_used < oldest->last_used) oldest = &place;
    }
    if (oldest->last_used != 0) ++evictions_;
    *oldest = Place{.key = key, .sequence = 1, .last_used = uses_};
    return 0;
}

}  // namespace latmon::loadgen
