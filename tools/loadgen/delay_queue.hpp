// SPDX-License-Identifier: Apache-2.0
//
// Requests whose replies are still under way on the simulated link, ordered by when the reply is
// due; those due at one moment leave in the order in which they came. One per thread. Bounded: what
// does not fit is the caller's to count. Allocates as it grows, and then reuses.
#pragma once

#include "base/time.hpp"
#include "loadgen/datagrams.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace latmon::loadgen {

// What is needed to answer a request later.
struct Ticket {
    Route route;                   // Of a datagram, or
    std::uint64_t connection = 0;  // of a message in a stream.
    WallTime t2;                   // When it came to the target.
    Duration dwell;                // How long it had then been in our socket.
    std::uint32_t sequence = 0;    // Of the reply.
    std::uint8_t ttl = 0;          // As received; 0: unknown.
    bool has_kernel_t2 = false;
    bool is_doubled = false;  // The reply leaves twice.
};

class DelayQueue {
public:
    struct Entry {
        std::vector<std::byte> data;
        Ticket ticket;
    };

    explicit DelayQueue(std::size_t capacity) : capacity_(capacity) {}

    // Copies `data`. False if the queue is full.
    [[nodiscard]] bool push(Instant due, std::span<const std::byte> data, const Ticket& ticket);

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
