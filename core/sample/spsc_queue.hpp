// SPDX-License-Identifier: Apache-2.0
//
// A bounded queue from exactly one thread to exactly one other: the only place where two threads of
// latmon meet. Samples go from a core-thread to an exporter-thread in it, commands from the
// main-thread to a core-thread.
//
// Both sides are wait-free and allocate nothing after construction. Full is not an error: the
// producer counts what it could not push and moves on, because a late probe is worse than a lost
// sample.
//
//      head                 tail
//       v                    v
//   [ . s s s s s s s s s s . . . . . ]      slot = index & mask
//       consumer reads here -^ producer writes here
//
// Indexes grow forever and are masked on use, so `tail - head` is the fill level even across
// wrap-around. Each side keeps its last sight of the other's index and touches the shared line only
// when that sight says full (or empty).
#pragma once

#include "base/assert.hpp"
#include "base/limits.hpp"

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

namespace latmon {

template <typename T>
class SpscQueue {
public:
    static_assert(std::is_trivially_copyable_v<T>, "slots are copied, never constructed");

    // Holds up to `capacity`, a power of two, of T. Touches every page, so that the producer never
    // takes a page fault later. [before either thread runs]
    explicit SpscQueue(std::uint32_t capacity)
        : mask_(capacity - 1), slots_(std::make_unique<T[]>(capacity)) {
        LATMON_ASSERT(std::has_single_bit(capacity));
    }
    SpscQueue(const SpscQueue&) = delete;
    SpscQueue& operator=(const SpscQueue&) = delete;

    // False if the queue is full; `value` is then not in it. [producer thread]
    [[nodiscard]] bool try_push(const T& value) noexcept {
        const std::uint64_t tail = producer_.tail.load(std::memory_order_relaxed);
        if (tail - producer_.head_seen > mask_) {
            producer_.head_seen = consumer_.head.load(std::memory_order_acquire);  // Pairs with A.
            if (tail - producer_.head_seen > mask_) return false;
        }
        slots_[tail & mask_] = value;
        producer_.tail.store(tail + 1, std::memory_order_release);  // B: publishes the slot.
        return true;
    }

    // Pushes all of `values` or, if there is no room for all of them, none: false. The consumer may
    // pop them in parts, but never sees a part alone. [producer thread]
    [[nodiscard]] bool try_push_all(std::span<const T> values) noexcept {
        const std::uint64_t tail = producer_.tail.load(std::memory_order_relaxed);
        if (tail - producer_.head_seen + values.size() > mask_ + 1) {
            producer_.head_seen = consumer_.head.load(std::memory_order_acquire);  // Pairs with A.
            if (tail - producer_.head_seen + values.size() > mask_ + 1) return false;
        }
        for (std::size_t index = 0; index < values.size(); ++index)
            slots_[(tail + index) & mask_] = values[index];
        producer_.tail.store(tail + values.size(), std::memory_order_release);  // B, for all.
        return true;
    }

    // Copies up to batch.size() values out, oldest first, and returns how many. [consumer thread]
    [[nodiscard]] std::uint32_t pop_batch(std::span<T> batch) noexcept {
        const std::uint64_t head = consumer_.head.load(std::memory_order_relaxed);
        if (head == consumer_.tail_seen) {
            consumer_.tail_seen = producer_.tail.load(std::memory_order_acquire);  // Pairs with B.
        }
        LATMON_ASSERT(consumer_.tail_seen - head <= mask_ + 1);

        std::uint32_t count = 0;
        for (; count < batch.size() && head + count != consumer_.tail_seen; ++count) {
            batch[count] = slots_[(head + count) & mask_];
        }
        consumer_.head.store(head + count, std::memory_order_release);  // A: frees the slots.
        return count;
    }

    // How many values are in it; a moment later it may be wrong. [any-thread]
    [[nodiscard]] std::uint64_t size() const noexcept {
        const std::uint64_t head = consumer_.head.load(std::memory_order_acquire);  // Pairs with A.
        return producer_.tail.load(std::memory_order_acquire) - head;               // Pairs with B.
    }

    [[nodiscard]] std::uint64_t capacity() const noexcept { return mask_ + 1; }

private:
    struct alignas(limits::cache_line_bytes) ProducerLine {  // Written by the producer only.
        std::atomic<std::uint64_t> tail{0};
        std::uint64_t head_seen{0};
    };
    struct alignas(limits::cache_line_bytes) ConsumerLine {  // Written by the consumer only.
        std::atomic<std::uint64_t> head{0};
        std::uint64_t tail_seen{0};
    };
    static_assert(sizeof(ProducerLine) == limits::cache_line_bytes);
    static_assert(sizeof(ConsumerLine) == limits::cache_line_bytes);

    const std::uint64_t mask_;
    std::unique_ptr<T[]> slots_;
    ProducerLine producer_;
    ConsumerLine consumer_;
};

}  // namespace latmon
