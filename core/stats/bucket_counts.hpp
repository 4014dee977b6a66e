// SPDX-License-Identifier: Apache-2.0
//
// Counters by bucket index, sparse: sorted chunks of sixteen neighbours, each counter one, two,
// four or eight octets wide, all as wide as the largest needs. What one series measures lies close
// together, so that most counts go to the chunk of the one before; and there are many series, most
// of them slow, for which the octet counts: 60 s at 10 Hz over two octaves take 0.4 KiB, where
// pairs of index and count take 1.5 and an array over all indices would take 32. Never more than
// 66 KiB. One thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

namespace latmon {

static_assert(std::endian::native == std::endian::little, "the first counter has the low octets");

class BucketCounts {
public:
    BucketCounts() = default;
    BucketCounts(BucketCounts&& other) noexcept { swap(other); }
    BucketCounts& operator=(BucketCounts&& other) noexcept {
        swap(other);
        return *this;
    }
    BucketCounts(const BucketCounts&) = delete;
    BucketCounts& operator=(const BucketCounts&) = delete;
    ~BucketCounts() = default;

    // `index` within bucket_index_min and bucket_index_max.
    void add_one(std::int32_t index) {
        const auto chunk = static_cast<std::int16_t>(index >> chunk_bits);
        if (size_ == 0 || chunk_at(last_) != chunk) [[unlikely]] {
            last_ = find_or_insert(chunk);
        }
        std::byte* const counter = counter_at(last_, static_cast<std::size_t>(index & in_chunk));
        const bool has_room = width_bits_ == 0   ? bump<std::uint8_t>(counter)
                              : width_bits_ == 1 ? bump<std::uint16_t>(counter)
                                                 : bump_wide(counter);
        if (!has_room) [[unlikely]] {
            widen(width_bits_ + 1);
            add_one(index);
        }
    }
    void add(std::int32_t index, std::uint64_t count);
    void merge(const BucketCounts& other);
    // Keeps memory for as much as there was, unless that is much more than was used.
    void clear() noexcept;
    // Of empty ones: memory for as many chunks as the other uses.
    void make_room_as(const BucketCounts& other);

    // Calls take(index, count) for each count that is not 0, in ascending order of index.
    template <typename Take>
    void each(Take&& take) const {
        for (std::size_t at = 0; at < size_; ++at)
            each_in(at, take);
    }

    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return std::size_t{capacity_} * bytes_per_chunk(width_bits_);
    }

private:
    static constexpr int chunk_bits = 4;
    static constexpr std::size_t chunk_counters = std::size_t{1} << chunk_bits;
    static constexpr std::int32_t in_chunk = (1 << chunk_bits) - 1;

    [[nodiscard]] static constexpr std::size_t bytes_per_chunk(unsigned width_bits) noexcept {
        return sizeof(std::int16_t) + (chunk_counters << width_bits);
    }
    // First the numbers of all chunks, then the counters: a capacity of whole fours aligns these.
    [[nodiscard]] std::int16_t chunk_at(std::size_t at) const noexcept {
        std::int16_t chunk;
        std::memcpy(&chunk, memory_.get() + at * sizeof(chunk), sizeof(chunk));
        return chunk;
    }
    [[nodiscard]] std::byte* counter_at(std::size_t at, std::size_t counter) const noexcept {
        return memory_.get() + std::size_t{capacity_} * sizeof(std::int16_t) +
               ((at * chunk_counters + counter) << width_bits_);
    }
    template <typename Counter>
    [[nodiscard]] static std::uint64_t load(const std::byte* from) noexcept {
        Counter value;
        std::memcpy(&value, from, sizeof(value));
        return value;
    }
    // False, and nothing done, if it is full.
    template <typename Counter>
    [[nodiscard]] static bool bump(std::byte* counter) noexcept {
        const auto value = static_cast<Counter>(load<Counter>(counter) + 1);
        if (value == 0) return false;
        std::memcpy(counter, &value, sizeof(value));
        return true;
    }
    // Eight octets at a time, because most counters are 0.
    template <typename Take>
    void each_in(std::size_t at, Take& take) const {
        const unsigned counter_bits = 8U << width_bits_;
        const std::uint64_t mask = ~std::uint64_t{0} >> (64 - counter_bits);
        std::int32_t first = std::int32_t{chunk_at(at)} * (1 << chunk_bits);
        for (std::size_t counter = 0; counter < chunk_counters; counter += 64 / counter_bits) {
            std::uint64_t word = load<std::uint64_t>(counter_at(at, counter));
            while (word != 0) {
                const unsigned lane = static_cast<unsigned>(std::countr_zero(word)) / counter_bits;
                const unsigned shift = lane * counter_bits;
                take(first + static_cast<std::int32_t>(lane), (word >> shift) & mask);
                word &= ~(mask << shift);
            }
            first += static_cast<std::int32_t>(64 / counter_bits);
        }
    }

    [[nodiscard]] std::uint64_t count_at(const std::byte* counter) const noexcept;
    [[nodiscard]] bool bump_wide(std::byte* counter) const noexcept;
    void set_count(std::byte* counter, std::uint64_t count) noexcept;
    [[nodiscard]] std::uint16_t find_or_insert(std::int16_t chunk);
    void insert(std::size_t at, std::int16_t chunk);
    void widen(unsigned width_bits);
    void move_to(std::uint16_t capacity, unsigned width_bits);
    void swap(BucketCounts& other) noexcept {
        std::swap(memory_, other.memory_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        std::swap(last_, other.last_);
        std::swap(width_bits_, other.width_bits_);
    }

    std::unique_ptr<std::byte[]> memory_;
    std::uint16_t size_ = 0;      // Chunks in use,
    std::uint16_t capacity_ = 0;  // and those that there is room for.
    std::uint16_t last_ = 0;      // Where the last count went.
    std::uint8_t width_bits_ = 0;
};

}  // namespace latmon
