// SPDX-License-Identifier: Apache-2.0
//
// Requests whose replies are still under way on the simulated link, ordered by when the reply is
// due; those due at one moment leave in the order in which they came. One per thread. Bounded: what
// does not fit is the caller's to count. Allocates as it grows, and then reuses.
#pragma once

#include "base/time.hpp"
#include "loadgen/datagrams.hpp"
#include "loadgen/due_queue.hpp"

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

    [[nodiscard]] bool is_empty() const noexcept { return queue_.is_empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return queue_.size(); }
    // When the first is due; not if empty.
    [[nodiscard]] Instant next_due() const noexcept { return queue_.next_due(); }

    // Takes the first out; not if empty. Valid until the next push().
    [[nodiscard]] Entry& pop() { return queue_.pop(); }

private:
    std::size_t capacity_;
    DueQueue<Entry> queue_;
};

}  // namespace latmon::loadgen
