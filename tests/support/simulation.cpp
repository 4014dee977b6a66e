// SPDX-License-Identifier: Apache-2.0
//
// See simulation.hpp.
#include "support/simulation.hpp"

#include <limits>
#include <utility>

namespace latmon::sim {

Link constant_link(Duration delay) {
    return [delay](const Packet&, std::mt19937_64&) { return std::vector<Duration>{delay}; };
}

void Simulation::at(std::int64_t at_ns, std::function<void()> action) {
    events_.push({at_ns, order_++, std::move(action)});
}

void Simulation::run_due() {
    while (!events_.empty() && events_.top().at_ns <= now_ns_) {
        const std::function<void()> action = events_.top().action;
        events_.pop();
        action();
    }
}

std::int64_t Simulation::next_event_ns() const noexcept {
    return events_.empty() ? std::numeric_limits<std::int64_t>::max() : events_.top().at_ns;
}

}  // namespace latmon::sim
