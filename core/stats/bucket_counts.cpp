// SPDX-License-Identifier: Apache-2.0
//
// See bucket_counts.hpp.
#include "stats/bucket_counts.hpp"

#include "base/assert.hpp"
#include "stats/bucket_index.hpp"

#include <algorithm>
#include <limits>

namespace latmon {
namespace {

constexpr unsigned width_bits_max = 3;
constexpr std::uint16_t capacity_step = 4;
// All chunks there are, in whole steps.
constexpr int capacity_max = 508;
static_assert(capacity_max >= (bucket_index_max >> 4) - (bucket_index_min >> 4) + 1);

// The narrowest that holds `count`.
unsigned width_bits_for(std::uint64_t count) noexcept {
    unsigned width_bits = 0;
    while (width_bits < width_bits_max && count >> (8U << width_bits) != 0)
        ++width_bits;
    return width_bits;
}

}  // namespace

void BucketCounts::add(std::int32_t index, std::uint64_t count) {
    LATMON_ASSERT(index >= bucket_index_min && index <= bucket_index_max);
    if (count == 0) return;
    const auto chunk = static_cast<std::int16_t>(index >> chunk_bits);
    if (size_ == 0 || chunk_at(last_) != chunk) last_ = find_or_insert(chunk);
    const auto within = static_cast<std::size_t>(index & in_chunk);
    const std::uint64_t sum = count_at(counter_at(last_, within)) + count;
    if (const unsigned width_bits = width_bits_for(sum); width_bits > width_bits_) {
        widen(width_bits);
    }
    set_count(counter_at(last_, within), sum);
}

void BucketCounts::merge(const BucketCounts& other) {
    other.each([this](std::int32_t index, std::uint64_t count) { add(index, count); });
}

void BucketCounts::clear() noexcept {
    constexpr unsigned spare = 4;
    const bool is_ample = capacity_ > capacity_step && capacity_ > spare * size_;
    if (is_ample || width_bits_ > 1) {
        *this = BucketCounts{};
        return;
    }
    if (size_ == 0) return;
    std::memset(counter_at(0, 0), 0, std::size_t{size_} * chunk_counters);
    size_ = 0;
    last_ = 0;
}

std::uint64_t BucketCounts::count_at(const std::byte* counter) const noexcept {
    switch (width_bits_) {
        case 0:
            return load<std::uint8_t>(counter);
        case 1:
            return load<std::uint16_t>(counter);
        case 2:
            return load<std::uint32_t>(counter);
        default:
            return load<std::uint64_t>(counter);
    }
}

void BucketCounts::set_count(std::byte* counter, std::uint64_t count) noexcept {
    std::memcpy(counter, &count, std::size_t{1} << width_bits_);
}

bool BucketCounts::bump_wide(std::byte* counter) const noexcept {
    return width_bits_ == 2 ? bump<std::uint32_t>(counter) : bump<std::uint64_t>(counter);
}

std::uint16_t BucketCounts::find_or_insert(std::int16_t chunk) {
    std::size_t low = 0;
    std::size_t high = size_;
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        chunk_at(middle) < chunk ? low = middle + 1 : high = middle;
    }
    if (low == size_ || chunk_at(low) != chunk) insert(low, chunk);
    return static_cast<std::uint16_t>(low);
}

void BucketCounts::make_room_as(const BucketCounts& other) {
    LATMON_ASSERT(size_ == 0);
    const int whole = (other.size_ + capacity_step - 1) / capacity_step * capacity_step;
    if (whole > capacity_) move_to(static_cast<std::uint16_t>(whole), 0);
}

void BucketCounts::insert(std::size_t at, std::int16_t chunk) {
    if (size_ == capacity_) {
        const int wanted = capacity_ + std::max(capacity_ / 4, int{capacity_step});
        const int whole = (wanted + capacity_step - 1) / capacity_step * capacity_step;
        move_to(static_cast<std::uint16_t>(std::min(whole, capacity_max)), width_bits_);
    }
    const std::size_t behind = size_ - at;
    std::byte* const number = memory_.get() + at * sizeof(chunk);
    std::memmove(number + sizeof(chunk), number, behind * sizeof(chunk));
    std::memcpy(number, &chunk, sizeof(chunk));
    std::byte* const counters = counter_at(at, 0);
    const std::size_t chunk_bytes = chunk_counters << width_bits_;
    std::memmove(counters + chunk_bytes, counters, behind * chunk_bytes);
    std::memset(counters, 0, chunk_bytes);
    ++size_;
}

void BucketCounts::widen(unsigned width_bits) {
    LATMON_ASSERT(width_bits <= width_bits_max);
    move_to(capacity_, width_bits);
}

void BucketCounts::move_to(std::uint16_t capacity, unsigned width_bits) {
    BucketCounts moved;
    moved.memory_ = std::make_unique<std::byte[]>(capacity * bytes_per_chunk(width_bits));
    moved.size_ = size_;
    moved.capacity_ = capacity;
    moved.last_ = last_;
    moved.width_bits_ = static_cast<std::uint8_t>(width_bits);
    if (size_ > 0) std::memcpy(moved.memory_.get(), memory_.get(), size_ * sizeof(std::int16_t));
    for (std::size_t at = 0; at < size_; ++at) {
        for (std::size_t counter = 0; counter < chunk_counters; ++counter) {
            const std::uint64_t count = count_at(counter_at(at, counter));
            if (count != 0) moved.set_count(moved.counter_at(at, counter), count);
        }
    }
    swap(moved);
}

}  // namespace latmon
