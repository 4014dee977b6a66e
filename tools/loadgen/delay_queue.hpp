// SPDX-License-Identifier: Apache-2.0
//
// Replies that are still under way on the simulated link, ordered by when they are due; those due
// at one moment leave in the order in which they came. One per thread. Bounded: what does not fit
// is the caller's to count. Allocates as it grows, and then reuses.
#pragma once

#include "base/time.hpp"
#include "loadgen/datagrams.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace latmon::loadgen {

class DelayQueue {
public:
    struct Entry {
        std::vector<std::byte> data;
        Route route;
    };

    explicit DelayQueue(std::size_t capacity) : capacity_(capacity) {}

    // Copies `data`. False if the queue is full.
    [[nodiscard]] bool push(Instant due, std::span<const std::byte> data, const Route& route);

    [[nodiscard]] bool is_empty() const noexcept { return order_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }
    // When the first is due; not if empty.
    [[nodiscard]] Instant next_due() const noexcept { return order_.front().due; }

    // Takes the first out; not if empty. Valid until the next push().
    [[nodiscard]] Entry& pop();

private:
    struct Turn {
        Instant due;
        std::uint64_t number = 0;
        std::size_t place = 0;
    };
    // A heap has its greatest in front: the later is the lesser.
    [[nodiscard]] static bool is_later(const Turn& a, const Turn& b) noexcept {
        return a.due != b.due ? a.due > b.due : a.number > b.number;
    }

    std::size_t capacity_;
    std::vector<Entry> entries_;
    std::vector<std::size_t> free_;
    std::vector<Turn> order_;  // A heap.
    std::uint64_t pushed_ = 0;
};

}  // namespace latmon::loadgen
