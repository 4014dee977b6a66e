// SPDX-License-Identifier: Apache-2.0
//
// Counters of an exporter's own (latmon/counters.h) as a C++ value. In a latmon without that
// extension they count for nobody but value().
#pragma once

#include <latmon/counters.h>

#include <atomic>
#include <cstdint>

namespace latmon::plugins {

// One counter. Any thread may add.
class Counter {
public:
    // [main-thread & in create()]
    Counter(const latmon_host_t* host, const char* name)
        : functions_(
              static_cast<const latmon_counters_t*>(host->extension(host, LATMON_COUNTERS_1))),
          counter_(functions_ == nullptr ? nullptr : functions_->counter(host, name)) {}
    Counter(const Counter&) = delete;
    Counter& operator=(const Counter&) = delete;

    void add(std::uint64_t value) noexcept {
        value_.fetch_add(value, std::memory_order_relaxed);
        if (functions_ != nullptr) functions_->add(counter_, value);
    }
    void set(std::uint64_t value) noexcept {
        value_.store(value, std::memory_order_relaxed);
        if (functions_ != nullptr) functions_->set(counter_, value);
    }
    [[nodiscard]] std::uint64_t value() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

private:
    const latmon_counters_t* functions_;
    latmon_counter_t* counter_;
    std::atomic<std::uint64_t> value_ = 0;
};

}  // namespace latmon::plugins
