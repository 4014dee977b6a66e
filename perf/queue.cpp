// SPDX-License-Identifier: Apache-2.0
//
// What does the queue between two threads cost? A push and a pop on one core; across two threads,
// each pinned to a CPU of its own, with a consumer that never sleeps; and a push into a full queue,
// which is what a stalled exporter costs the core-thread. Values of 64 octets, and samples.
#include "sample/sample.hpp"
#include "sample/spsc_queue.hpp"

#include <benchmark/benchmark.h>
#include <pthread.h>
#include <sched.h>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

namespace latmon {
namespace {

constexpr std::uint32_t capacity = 8192;
constexpr std::uint32_t batch_count = 256;
constexpr std::uint32_t crossing_count = 1U << 17U;

struct Line {
    std::uint64_t words[8];
};

// The first and the last CPU that we may use.
struct Cpus {
    std::size_t first = CPU_SETSIZE;
    std::size_t last = 0;
};

Cpus usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    ::sched_getaffinity(0, sizeof(set), &set);
    Cpus cpus;
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &set)) continue;
        if (cpus.first == CPU_SETSIZE) cpus.first = cpu;
        cpus.last = cpu;
    }
    return cpus;
}

const Cpus cpus = usable_cpus();

void pin(std::size_t cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    ::pthread_setaffinity_np(::pthread_self(), sizeof(set), &set);
}

template <typename T>
void one_core(benchmark::State& state) {
    pin(cpus.last);
    SpscQueue<T> queue(capacity);
    std::vector<T> batch(batch_count);
    const T value{};
    std::uint32_t queued = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(queue.try_push(value));
        if (++queued < batch_count) continue;
        queued = 0;
        benchmark::DoNotOptimize(queue.pop_batch(batch));
        benchmark::ClobberMemory();
    }
}
BENCHMARK_TEMPLATE(one_core, Line);
BENCHMARK_TEMPLATE(one_core, Sample);

// Pops until told to stop, and says how many it has popped.
template <typename T>
void consume(SpscQueue<T>& queue, std::atomic<std::uint64_t>& popped, std::atomic<bool>& must_end) {
    pin(cpus.first);
    std::vector<T> batch(batch_count);
    std::uint64_t count = 0;
    while (!must_end.load(std::memory_order_relaxed)) {
        const std::uint32_t got = queue.pop_batch(batch);
        benchmark::DoNotOptimize(batch.data());
        if (got == 0) continue;
        count += got;
        popped.store(count, std::memory_order_release);
    }
}

// One iteration is `crossing_count` values from the first push to the last pop; one value's time is
// 1 / items_per_second.
template <typename T>
void across(benchmark::State& state) {
    if (cpus.first == cpus.last) {
        state.SkipWithError("needs two CPUs");
        return;
    }
    pin(cpus.last);
    SpscQueue<T> queue(capacity);
    std::atomic<std::uint64_t> popped{0};
    std::atomic<bool> must_end{false};
    std::thread consumer([&] { consume(queue, popped, must_end); });
    std::uint64_t pushed = 0;
    const T value{};
    for (auto _ : state) {
        const auto begin = std::chrono::steady_clock::now();
        for (std::uint32_t count = 0; count < crossing_count; ++count) {
            while (!queue.try_push(value))
                continue;
        }
        pushed += crossing_count;
        while (popped.load(std::memory_order_acquire) != pushed)
            continue;
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        state.SetIterationTime(took.count());
    }
    state.SetItemsProcessed(state.iterations() * crossing_count);
    must_end.store(true);
    consumer.join();
}
BENCHMARK_TEMPLATE(across, Line)->UseManualTime();
BENCHMARK_TEMPLATE(across, Sample)->UseManualTime();

template <typename T>
void push_full(benchmark::State& state) {
    pin(cpus.last);
    SpscQueue<T> queue(capacity);
    const T value{};
    while (queue.try_push(value))
        continue;
    for (auto _ : state)
        benchmark::DoNotOptimize(queue.try_push(value));
}
BENCHMARK_TEMPLATE(push_full, Sample);

}  // namespace
}  // namespace latmon

BENCHMARK_MAIN();
