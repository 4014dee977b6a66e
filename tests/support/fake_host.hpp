// SPDX-License-Identifier: Apache-2.0
//
// A host for parts of a plugin that are tested without latmon: options as a test says, and a log
// that it can read. Not for tests that link core/exporter, which has the true one. Any thread may
// log; the rest is one thread's.
#pragma once

#include <latmon/latmon.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

struct latmon_options {
    std::map<std::string, std::variant<std::string, bool, std::int64_t, double>> values;
    std::vector<std::string> asked;
};

namespace latmon::test {

class FakeHost {
public:
    FakeHost()
        : table_{.functions = {
                     .struct_size = sizeof(latmon_host_t),
                     .abi_version = LATMON_ABI_VERSION,
                     .version = "0.0.0",
                     .log = log_line,
                     .log_enabled = [](const latmon_host_t*, latmon_log_level_t) { return true; },
                     .series = [](const latmon_host_t*, std::uint32_t) -> const latmon_series_t* {
                         return nullptr;
                     },
                     .series_count = [](const latmon_host_t*) { return 0U; },
                     .option_string = option_string,
                     .option_bool = option<bool>,
                     .option_int = option_int,
                     .option_float = option_float,
                     .option_list_item = [](const latmon_options_t*, const char*,
                                            std::uint32_t) -> const char* { return nullptr; },
                     .extension = [](const latmon_host_t*, const char*) -> const void* {
                         return nullptr;
                     }},
                 .host = this} {}
    FakeHost(const FakeHost&) = delete;
    FakeHost& operator=(const FakeHost&) = delete;

    [[nodiscard]] const latmon_host_t* table() const noexcept { return &table_.functions; }
    [[nodiscard]] std::string log() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return log_;
    }

private:
    struct Table {
        latmon_host_t functions;
        FakeHost* host;
    };

    static void log_line(const latmon_host_t* host, latmon_log_level_t, const char* text) {
        FakeHost& self = *reinterpret_cast<const Table*>(host)->host;
        const std::lock_guard<std::mutex> lock(self.mutex_);
        self.log_ += std::string(text) + "\n";
    }

    template <typename Value>
    static Value option(const latmon_options_t* options, const char* key, Value fallback) {
        const_cast<latmon_options_t*>(options)->asked.emplace_back(key);
        const auto found = options->values.find(key);
        return found == options->values.end() ? fallback : std::get<Value>(found->second);
    }
    static const char* option_string(const latmon_options_t* options, const char* key,
                                     const char* fallback) {
        const_cast<latmon_options_t*>(options)->asked.emplace_back(key);
        const auto found = options->values.find(key);
        return found == options->values.end() ? fallback
                                              : std::get<std::string>(found->second).c_str();
    }
    // Out of range is the fallback, as latmon does it.
    static std::int64_t option_int(const latmon_options_t* options, const char* key,
                                   std::int64_t fallback, std::int64_t min, std::int64_t max) {
        const std::int64_t value = option(options, key, fallback);
        return value < min || value > max ? fallback : value;
    }
    static double option_float(const latmon_options_t* options, const char* key, double fallback,
                               double min, double max) {
        const double value = option(options, key, fallback);
        return value < min || value > max ? fallback : value;
    }

    Table table_;
    mutable std::mutex mutex_;
    std::string log_;
};

}  // namespace latmon::test
