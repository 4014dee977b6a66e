// SPDX-License-Identifier: Apache-2.0
//
// See delay_queue.hpp.
#include "loadgen/delay_queue.hpp"

namespace latmon::loadgen {

bool DelayQueue::push(Instant due, std::span<const std::byte> data, const Ticket& ticket) {
    if (queue_.size() == capacity_) return false;
    Entry& entry = queue_.push(due);
    entry.data.assign(data.begin(), data.end());
    entry.ticket = ticket;
    return true;
}

}  // namespace latmon::loadgen
