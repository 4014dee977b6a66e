// SPDX-License-Identifier: Apache-2.0
//
// What is due at some time, in the order of those times; what is due at one moment comes out in the
// order in which it was put in. A heap of small turns over places that are used again, so that an
// entry is not moved. One thread; allocates as it grows, and then reuses.
#pragma once

#include "base/assert.hpp"
#include "base/time.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace latmon::loadgen {

template <typename Entry>
class DueQueue {
public:
    // The place of what is due then, to be filled; it holds what was there before. Valid until the
    // next push().
    [[nodiscard]] Entry& push(Instant due) {
        if (free_.empty()) {
            free_.push_back(entries_.size());
            entries_.emplace_back();
        }
        const std::size_t place = free_.back();
        free_.pop_back();
        order_.push_back({.due = due, .number = pushed_++, .place = place});
        std::ranges::push_heap(order_, is_later);
        return entries_[place];
    }

    [[nodiscard]] bool is_empty() const noexcept { return order_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }
    // When the first is due; not if empty.
    [[nodiscard]] Instant next_due() const noexcept { return order_.front().due; }

    // Takes the first out; not if empty. Valid until the next push().
    [[nodiscard]] Entry& pop() {
        LATMON_ASSERT(!order_.empty());
        std::ranges::pop_heap(order_, is_later);
        const std::size_t place = order_.back().place;
        order_.pop_back();
        free_.push_back(place);
        return entries_[place];
    }

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

    std::vector<Entry> entries_;
    std::vector<std::size_t> free_;
    std::vector<Turn> order_;  // A heap.
    std::uint64_t pushed_ = 0;
};

}  // namespace latmon::loadgen
