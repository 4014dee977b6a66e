// SPDX-License-Identifier: Apache-2.0
//
// Absolute deadlines in a bounded heap: what the reactor sleeps for. A 4-ary heap of 16-octet
// entries, so that a node's children share one cache line; 100,000 deadlines are nine levels deep.
// Timers are owned by their users and know their place, so that disarming costs a sift and no
// search. Owned by one core-thread; allocates only at construction.
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <vector>

namespace latmon {

struct Timer {
    // `now` is a reading at most a microsecond old; now >= the deadline. May arm any timer again.
    using Callback = void (*)(Timer& timer, Instant now) noexcept;

    Timer(Callback callback, bool precise) noexcept : on_fire(callback), is_precise(precise) {}
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    static constexpr std::uint32_t not_armed = UINT32_MAX;

    Callback on_fire;
    Instant deadline;
    std::uint32_t heap_index = not_armed;
    bool is_precise;       // Worth spinning for, or not.
    bool is_send = false;  // A probe's: how late it fires is ours to answer for.
};

// A timer that is a member of its owner and fires into one of its methods.
template <auto Method>
struct MethodTimer;

template <typename Owner, void (Owner::*Method)(Instant) noexcept>
struct MethodTimer<Method> : Timer {
    MethodTimer(Owner& the_owner, bool precise) noexcept : Timer(call, precise), owner(the_owner) {}

    static void call(Timer& timer, Instant now) noexcept {
        (static_cast<MethodTimer&>(timer).owner.*Method)(now);
    }

    Owner& owner;
};

class Timers {
public:
    // Room for `capacity` timers armed at once.
    explicit Timers(std::uint32_t capacity);

    // Arms, or moves, the timer to `deadline`. Full is a mistake of ours: the plan bounds timers.
    void arm(Timer& timer, Instant deadline) noexcept;
    // Does nothing if it is not armed.
    void disarm(Timer& timer) noexcept;

    // The timer with the earliest deadline, or null.
    [[nodiscard]] Timer* first() const noexcept {
        return heap_.empty() ? nullptr : heap_.front().timer;
    }
    [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

private:
    struct Entry {
        Instant deadline;
        Timer* timer;
    };

    void place(std::uint32_t index, const Entry& entry) noexcept;
    void sift_up(std::uint32_t index, const Entry& entry) noexcept;
    void sift_down(std::uint32_t index, const Entry& entry) noexcept;

    std::vector<Entry> heap_;  // heap_[i].deadline <= that of its children 4i+1 .. 4i+4.
    std::uint32_t capacity_;
};

}  // namespace latmon
