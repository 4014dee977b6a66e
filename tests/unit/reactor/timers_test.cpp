// SPDX-License-Identifier: Apache-2.0
//
// The heap of deadlines against the plain truth of a sorted set.
#include "reactor/timers.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <deque>
#include <random>
#include <vector>

namespace latmon {
namespace {

void never(Timer&, Instant) noexcept {}

struct PlainTimer : Timer {
    PlainTimer() noexcept : Timer(never, true) {}
};

}  // namespace

TEST_CASE("timers: the first is always the earliest, whatever is armed, moved and disarmed") {
    std::mt19937_64 random(7);
    std::deque<PlainTimer> timers(500);
    Timers heap(500);
    for (int step = 0; step < 100'000; ++step) {
        PlainTimer& timer = timers[random() % timers.size()];
        if (random() % 3 == 0) {
            heap.disarm(timer);
        } else {
            heap.arm(timer, Instant{static_cast<std::int64_t>(random() % 1'000)});
        }
        const PlainTimer* earliest = nullptr;
        std::size_t armed = 0;
        for (const PlainTimer& candidate : timers) {
            if (candidate.heap_index == Timer::not_armed) continue;
            ++armed;
            if (earliest == nullptr || candidate.deadline < earliest->deadline) {
                earliest = &candidate;
            }
        }
        REQUIRE(heap.size() == armed);
        REQUIRE((heap.first() == nullptr) == (earliest == nullptr));
        if (earliest != nullptr) REQUIRE(heap.first()->deadline == earliest->deadline);
        if (step > 2'000) step += 97;  // The rest is sampled: the check costs more than the heap.
    }
}

TEST_CASE("timers: a hundred thousand deadlines come out in order") {
    std::mt19937_64 random(11);
    constexpr std::uint32_t count = 100'000;
    std::deque<PlainTimer> timers(count);
    Timers heap(count);
    for (PlainTimer& timer : timers) {
        heap.arm(timer, Instant{static_cast<std::int64_t>(random() % 1'000'000'000)});
    }
    CHECK(heap.size() == count);
    Instant last{};
    while (Timer* const first = heap.first()) {
        REQUIRE(first->deadline >= last);
        last = first->deadline;
        heap.disarm(*first);
        REQUIRE(first->heap_index == Timer::not_armed);
    }
}

TEST_CASE("timers: disarming one that is not armed does nothing") {
    PlainTimer timer;
    Timers heap(1);
    heap.disarm(timer);
    heap.arm(timer, Instant{5});
    heap.arm(timer, Instant{9});
    CHECK(heap.size() == 1);
    CHECK(heap.first()->deadline == Instant{9});
}

}  // namespace latmon
