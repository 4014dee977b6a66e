// SPDX-License-Identifier: Apache-2.0
//
// When the probes of simulated senders leave: in their slots of the grid, and as much later as the
// network in front of the senders holds them up. It may lose a probe before it leaves, or let it
// leave twice. Slots are drawn in their order, whatever the time is: the same seed has the same
// fates. Pure; one thread. It neither waits nor sends.
#pragma once

#include "loadgen/due_queue.hpp"
#include "loadgen/link_direction.hpp"
#include "loadgen/slots.hpp"

#include <cstdint>
#include <optional>

namespace latmon::loadgen {

struct Departure {
    std::uint64_t slot = 0;
    Instant due;  // No earlier than the slot; of one that is lost, the slot itself.
    bool is_lost = false;
    bool is_doubled = false;
};

class Departures {
public:
    // Slots 0 to `slot_count` - 1. `link` has a line for each sender, without a bit rate, and
    // outlives this.
    Departures(const SlotGrid& grid, std::uint64_t slot_count, LinkDirection& link)
        : grid_(grid), slot_count_(slot_count), link_(link) {
        draw();
    }

    // All have been taken.
    [[nodiscard]] bool is_over() const noexcept { return queue_.is_empty(); }
    // When the next is due; not if over.
    [[nodiscard]] Instant next_due() const noexcept { return queue_.next_due(); }
    // The next that is due by `now`, in the order of `due`, of slots at one moment. Nothing: none.
    [[nodiscard]] std::optional<Departure> take(Instant now);

private:
    void draw();

    SlotGrid grid_;
    std::uint64_t slot_count_;
    LinkDirection& link_;
    DueQueue<Departure> queue_;
    std::uint64_t drawn_ = 0;
};

}  // namespace latmon::loadgen
