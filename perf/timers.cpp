// SPDX-License-Identifier: Apache-2.0
//
// What does a deadline cost? The heap of timers with 100 to 20,000 of them armed: firing the first
// and arming it anew one interval later, as a probe does; and moving any of them, as an expiry that
// a reply puts off. How late the loop fires them is lateness.py's question.
#include "reactor/timers.hpp"

#include <benchmark/benchmark.h>
#include <memory>
#include <random>
#include <vector>

namespace latmon {
namespace {

constexpr Duration interval = Duration::from_s(1);

void ignore(Timer&, Instant) noexcept {}

// `count` timers whose deadlines lie anywhere within an interval.
struct Armed {
    explicit Armed(std::uint32_t count) : heap(count) {
        timers.reserve(count);
        for (std::uint32_t index = 0; index < count; ++index) {
            timers.push_back(std::make_unique<Timer>(ignore, true));
            heap.arm(*timers.back(), Instant{phase(random)});
        }
    }

    std::mt19937_64 random{1};
    std::uniform_int_distribution<std::int64_t> phase{0, interval.ns};
    Timers heap;
    std::vector<std::unique_ptr<Timer>> timers;
};

void fire_and_arm(benchmark::State& state) {
    Armed armed(static_cast<std::uint32_t>(state.range(0)));
    for (auto _ : state) {
        Timer* const timer = armed.heap.first();
        armed.heap.arm(*timer, timer->deadline + interval);
    }
}
BENCHMARK(fire_and_arm)->Arg(100)->Arg(1'000)->Arg(10'000)->Arg(20'000);

void disarm_and_arm(benchmark::State& state) {
    Armed armed(static_cast<std::uint32_t>(state.range(0)));
    std::size_t index = 0;
    for (auto _ : state) {
        index = (index + 7919) % armed.timers.size();  // A prime: not in the order of deadlines.
        Timer& timer = *armed.timers[index];
        armed.heap.disarm(timer);
        armed.heap.arm(timer, timer.deadline + interval);
    }
}
BENCHMARK(disarm_and_arm)->Arg(100)->Arg(1'000)->Arg(10'000)->Arg(20'000);

}  // namespace
}  // namespace latmon

BENCHMARK_MAIN();
