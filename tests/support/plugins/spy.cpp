// SPDX-License-Identifier: Apache-2.0
//
// A plugin that does as the test says and tells the test what it saw: see spy.hpp.
#include "support/plugins/spy.hpp"

#include <pthread.h>
#include <array>
#include <ctime>
#include <stdexcept>
#include <string_view>

namespace {

const latmon_counters_t* counters_of(const Spy& spy) {
    return static_cast<const latmon_counters_t*>(spy.host->extension(spy.host, LATMON_COUNTERS_1));
}

void make_counters(Spy& spy) {
    if (spy.counters.empty()) return;
    const latmon_counters_t* const functions = counters_of(spy);
    for (const std::string& name : spy.counters) {
        spy.made.push_back(functions->counter(spy.host, name.c_str()));
        functions->add(spy.made.back(), spy.made.size());
    }
}

void* create(const latmon_host_t* host, const latmon_options_t* options) {
    const std::int64_t address = host->option_int(options, "spy", 0, INT64_MIN, INT64_MAX);
    Spy* const spy = reinterpret_cast<Spy*>(address);
    if (spy == nullptr) return nullptr;
    spy->calls.push_back('c');
    spy->host = host;
    if (spy->throws_in_create) throw std::runtime_error("from create");
    if (spy->refuses_silently) return nullptr;
    spy->is_compatible = host->option_bool(options, "compatible", false);
    spy->text = host->option_string(options, "text", "fallback");
    make_counters(*spy);
    if (!spy->refuses) return spy;
    host->log(host, LATMON_LOG_WARNING, "this is not the reason");
    host->log(host, LATMON_LOG_ERROR, "the moon is full: wait a week");
    host->log(host, LATMON_LOG_INFO, "nor is this");
    return nullptr;
}

latmon_result_t export_batch(void* exporter, const latmon_sample_t* samples, uint32_t count) {
    Spy& spy = *static_cast<Spy*>(exporter);
    spy.calls.push_back('b');
    std::array<char, 16> name{};
    ::pthread_getname_np(::pthread_self(), name.data(), name.size());
    spy.thread_name = name.data();
    ::pthread_sigmask(SIG_BLOCK, nullptr, &spy.signals);
    ::pthread_getaffinity_np(::pthread_self(), sizeof(spy.cpus), &spy.cpus);
    if (spy.is_gated) {
        spy.entered.release();
        spy.gate.acquire();
    }
    const timespec until{.tv_sec = spy.busy_until_ns / 1'000'000'000,
                         .tv_nsec = spy.busy_until_ns % 1'000'000'000};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    const bool is_first = spy.batches.empty();
    if (!spy.counter_too_late.empty()) {
        spy.got_too_late =
            counters_of(spy)->counter(spy.host, spy.counter_too_late.c_str()) != nullptr;
    }
    spy.batches.push_back(count);
    spy.samples.insert(spy.samples.end(), samples, samples + count);
    if (spy.throws_once && is_first) throw std::runtime_error("from export_batch");
    return spy.result;
}

latmon_result_t flush(void* exporter) {
    Spy& spy = *static_cast<Spy*>(exporter);
    spy.calls.push_back('f');
    spy.flushed.release();
    return LATMON_RESULT_OK;
}

void destroy(void* exporter) {
    Spy& spy = *static_cast<Spy*>(exporter);
    spy.calls.push_back('d');
    if (spy.last_word > 0) counters_of(spy)->add(spy.made.front(), spy.last_word);
}

latmon_result_t reopen(void* exporter) {
    Spy& spy = *static_cast<Spy*>(exporter);
    spy.calls.push_back('r');
    spy.reopened.release();
    return LATMON_RESULT_OK;
}

latmon_result_t export_windows(void* exporter, const latmon_window_t* const* windows,
                               uint32_t count) {
    Spy& spy = *static_cast<Spy*>(exporter);
    spy.calls.push_back('w');
    for (uint32_t index = 0; index < count; ++index) {
        const latmon_window_t& window = *windows[index];
        spy.windows.push_back(window);
        spy.buckets.emplace_back(window.buckets, window.buckets + window.bucket_count);
    }
    return spy.result;
}

// Windows only if the operator asks for them, and the samples that a plugin without them gets.
const void* extension(const char* id) {
    static constexpr latmon_reopen_t reopening = {.reopen = reopen};
    static constexpr latmon_windows_t windowing = {.default_lengths = 0,
                                                   .default_kinds = 1U << LATMON_KIND_EXCHANGE |
                                                                    1U << LATMON_KIND_CONNECT |
                                                                    1U << LATMON_KIND_NODE,
                                                   .export_windows = export_windows};
    if (std::string_view(id) == LATMON_WINDOWS_1) return &windowing;
    return std::string_view(id) == LATMON_REOPEN_1 ? &reopening : nullptr;
}

constexpr latmon_plugin_t plugin = {
    .struct_size = sizeof(latmon_plugin_t),
    .abi_version = LATMON_ABI_VERSION,
    .name = "spy",
    .version = "1",
    .create = create,
    .export_batch = export_batch,
    .flush = flush,
    .destroy = destroy,
    .extension = extension,
};

}  // namespace

const latmon_plugin_t* latmon_plugin_entry(void) {
    return &plugin;
}
