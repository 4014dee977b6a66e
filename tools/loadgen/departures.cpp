// SPDX-License-Identifier: Apache-2.0
//
// See departures.hpp.
#include "loadgen/departures.hpp"

namespace latmon::loadgen {

// Until the first in the queue is the next of all: no slot behind it can leave any earlier.
void Departures::draw() {
    for (; drawn_ < slot_count_; ++drawn_) {
        const Instant slot_at = grid_.deadline(drawn_);
        if (!queue_.is_empty() && queue_.next_due() <= slot_at) return;
        const Passage passage =
            link_.cross({.target = grid_.sender(drawn_), .size_bytes = 0, .at = slot_at});
        queue_.push(passage.arrival) = {.slot = drawn_,
                                        .due = passage.arrival,
                                        .is_lost = passage.fate != Fate::arrives,
                                        .is_doubled = passage.is_doubled};
    }
}

std::optional<Departure> Departures::take(Instant now) {
    if (queue_.is_empty() || queue_.next_due() > now) return std::nullopt;
    const Departure departure = queue_.pop();
    draw();
    return departure;
}

}  // namespace latmon::loadgen
