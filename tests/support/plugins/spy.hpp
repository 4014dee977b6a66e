// SPDX-License-Identifier: Apache-2.0
//
// What a test and the plugin `spy` share: the test fills in how the plugin shall behave, and reads
// what it saw. They live in one process; the option `spy` is this struct's address. What is not a
// semaphore belongs to the plugin from open() until the exporter's thread has ended.
#pragma once

#include <latmon/latmon.h>

#include <sched.h>
#include <csignal>
#include <cstdint>
#include <semaphore>
#include <string>
#include <vector>

struct Spy {
    [[nodiscard]] std::int64_t address() const noexcept {
        return reinterpret_cast<std::int64_t>(this);
    }

    // How to behave.
    bool refuses = false;  // create() says why, and returns NULL.
    bool refuses_silently = false;
    bool throws_in_create = false;
    bool throws_once = false;  // The first export_batch() throws.
    latmon_result_t result = LATMON_RESULT_OK;
    bool is_gated = false;  // export_batch() releases `entered`, then acquires `gate`.

    std::vector<std::string> counters;  // create() makes these, each with its index + 1.
    std::string counter_too_late;       // Asked for in export_batch().
    std::uint64_t last_word = 0;        // destroy() adds it to the first of `counters`.

    std::int64_t busy_until_ns = 0;  // CLOCK_MONOTONIC: export_batch() does not return before.

    std::counting_semaphore<> entered{0};
    std::counting_semaphore<> gate{0};
    std::counting_semaphore<> flushed{0};   // Released by flush().
    std::counting_semaphore<> reopened{0};  // Released by reopen().

    // What was seen.
    const latmon_host_t* host = nullptr;
    bool is_compatible = false;
    std::string text;                     // The option `text`.
    std::vector<latmon_counter_t*> made;  // Of `counters`.
    bool got_too_late = false;            // `counter_too_late` was there, or was made.
    std::vector<latmon_sample_t> samples;
    std::vector<std::uint32_t> batches;
    std::vector<latmon_window_t> windows;
    std::vector<std::vector<latmon_bucket_t>> buckets;  // Of each of `windows`.
    // 'c'reate, 'b'atch, 'w'indows, 'f'lush, 'r'eopen, 'd'estroy, in their order.
    std::vector<char> calls;
    std::string thread_name;
    sigset_t signals{};  // Those blocked in export_batch().
    cpu_set_t cpus{};    // Those that its thread may run on.
};
