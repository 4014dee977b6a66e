// SPDX-License-Identifier: Apache-2.0
//
// The queue of samples from one core-thread to one exporter, with its accounts:
//
//   made = exported + rejected + dropped + abandoned + queued            (invariant 4)
//
// Each counter has one writer; the others read it as a published counter.
#pragma once

#include "sample/sample.hpp"
#include "sample/spsc_queue.hpp"

#include <atomic>
#include <cstdint>

namespace latmon {

// A counter with one writing thread; readable by every thread.
class PublishedCounter {
public:
    // A plain load and store: with one writer no update can be lost. [writer thread]
    void add(std::uint64_t amount) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
    // Orders nothing: a moment later it may have grown. [any-thread]
    [[nodiscard]] std::uint64_t read() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint64_t> value_{0};
};

struct SampleQueue {
    SampleQueue(std::uint32_t capacity, std::uint32_t kinds) : queue(capacity), kinds_mask(kinds) {}

    // Pushes if the exporter takes this kind and there is room; counts either way. [core-thread]
    void emit(const Sample& sample) noexcept {
        if ((kinds_mask & (1U << sample.kind)) == 0) return;
        made.add(1);
        if (!queue.try_push(sample)) dropped.add(1);
    }

    SpscQueue<Sample> queue;
    const std::uint32_t kinds_mask;  // kind_bit() of the kinds that the exporter takes.

    alignas(limits::cache_line_bytes) PublishedCounter made;  // [core-thread]
    PublishedCounter dropped;                                 // Queue was full. [core-thread]

    alignas(limits::cache_line_bytes) PublishedCounter exported;  // [exporter-thread]
    PublishedCounter rejected;   // The plugin said no. [exporter-thread]
    PublishedCounter abandoned;  // Still queued when time was up at stop. [exporter-thread]
};

}  // namespace latmon
