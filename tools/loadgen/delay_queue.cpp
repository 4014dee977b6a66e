// SPDX-License-Identifier: Apache-2.0
//
// See delay_queue.hpp.
#include "loadgen/delay_queue.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace latmon::loadgen {

bool DelayQueue::push(Instant due, std::span<const std::byte> data, const Ticket& ticket) {
    if (order_.size() == capacity_) return false;
    if (free_.empty()) {
        free_.push_back(entries_.size());
        entries_.emplace_back();
    }
    const std::size_t place = free_.back();
    free_.pop_back();
    entries_[place].data.assign(data.begin(), data.end());
    entries_[place].ticket = ticket;
    order_.push_back({.due = due, .number = pushed_++, .place = place});
    std::ranges::push_heap(order_, is_later);
    return true;
}

DelayQueue::Entry& DelayQueue::pop() {
    LATMON_ASSERT(!order_.empty());
    std::ranges::pop_heap(order_, is_later);
    const std::size_t place = order_.back().place;
    order_.pop_back();
    free_.push_back(place);
    return entries_[place];
}

}  // namespace latmon::loadgen
