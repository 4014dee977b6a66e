// SPDX-License-Identifier: Apache-2.0
//
// The 4-ary heap of timers.hpp.
#include "reactor/timers.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace latmon {
namespace {

constexpr std::uint32_t arity = 4;

}  // namespace

Timers::Timers(std::uint32_t capacity) : capacity_(capacity) {
    heap_.reserve(capacity);
}

void Timers::arm(Timer& timer, Instant deadline) noexcept {
    disarm(timer);
    LATMON_ASSERT(heap_.size() < capacity_);  // reserve() made room: the push cannot allocate.
    timer.deadline = deadline;
    const auto index = static_cast<std::uint32_t>(heap_.size());
    heap_.push_back({deadline, &timer});
    sift_up(index, heap_[index]);
}

void Timers::disarm(Timer& timer) noexcept {
    const std::uint32_t index = timer.heap_index;
    if (index == Timer::not_armed) return;
    LATMON_ASSERT(index < heap_.size() && heap_[index].timer == &timer);
    timer.heap_index = Timer::not_armed;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (index == heap_.size()) return;  // It was the last itself.
    const bool is_earlier = index > 0 && last.deadline < heap_[(index - 1) / arity].deadline;
    if (is_earlier) {
        sift_up(index, last);
    } else {
        sift_down(index, last);
    }
}

void Timers::place(std::uint32_t index, const Entry& entry) noexcept {
    heap_[index] = entry;
    entry.timer->heap_index = index;
}

void Timers::sift_up(std::uint32_t index, const Entry& entry) noexcept {
    const Entry moving = entry;  // `entry` may lie in the heap and be overwritten.
    while (index > 0) {
        const std::uint32_t parent = (index - 1) / arity;
        if (heap_[parent].deadline <= moving.deadline) break;
        place(index, heap_[parent]);
        index = parent;
    }
    place(index, moving);
}

void Timers::sift_down(std::uint32_t index, const Entry& entry) noexcept {
    const Entry moving = entry;
    const auto count = static_cast<std::uint32_t>(heap_.size());
    for (;;) {
        const std::uint32_t first_child = index * arity + 1;
        if (first_child >= count) break;
        std::uint32_t earliest = first_child;
        const std::uint32_t end = std::min(first_child + arity, count);
        for (std::uint32_t child = first_child + 1; child < end; ++child) {
            if (heap_[child].deadline < heap_[earliest].deadline) earliest = child;
        }
        if (moving.deadline <= heap_[earliest].deadline) break;
        place(index, heap_[earliest]);
        index = earliest;
    }
    place(index, moving);
}

}  // namespace latmon
