// SPDX-License-Identifier: Apache-2.0
//
// The functions of latmon_host_t. They are noexcept: an exception of ours must not pass through a
// plugin written in C. Null pointers from a plugin are answered like an absent value; anything more
// would be a check of memory that only the plugin knows.
#include "exporter/host.hpp"

#include "base/log.hpp"
#include "base/version.hpp"
#include "stats/window_tools.hpp"

namespace latmon {

struct HostFunctions {
    static Host& self(const latmon_host_t* host) noexcept {
        return *reinterpret_cast<const Host::Table*>(host)->host;
    }

    static log::Level level_of(latmon_log_level_t level) noexcept {
        switch (level) {
            case LATMON_LOG_DEBUG:
                return log::Level::debug;
            case LATMON_LOG_INFO:
                return log::Level::info;
            case LATMON_LOG_WARNING:
                return log::Level::warning;
            case LATMON_LOG_ERROR:
                return log::Level::error;
            case LATMON_LOG_CRITICAL:
                return log::Level::critical;
        }
        return log::Level::error;  // A number of the plugin's own making.
    }

    static void log_line(const latmon_host_t* host, latmon_log_level_t level,
                         const char* text) noexcept {
        self(host).log(level, text == nullptr ? "" : text);
    }
    static bool log_enabled(const latmon_host_t*, latmon_log_level_t level) noexcept {
        return log::is_enabled(level_of(level));
    }
    static const latmon_series_t* series(const latmon_host_t* host, std::uint32_t id) noexcept {
        return self(host).series(id);
    }
    static std::uint32_t series_count(const latmon_host_t* host) noexcept {
        return self(host).series_count();
    }

    static std::string_view key_of(const char* key) noexcept { return key == nullptr ? "" : key; }

    static const char* option_string(const latmon_options_t* options, const char* key,
                                     const char* fallback) noexcept {
        return options->options->get_string(key_of(key), fallback);
    }
    static bool option_bool(const latmon_options_t* options, const char* key,
                            bool fallback) noexcept {
        return options->options->get_bool(key_of(key), fallback);
    }
    static std::int64_t option_int(const latmon_options_t* options, const char* key,
                                   std::int64_t fallback, std::int64_t min,
                                   std::int64_t max) noexcept {
        return options->options->get_int(key_of(key), fallback, min, max);
    }
    static double option_float(const latmon_options_t* options, const char* key, double fallback,
                               double min, double max) noexcept {
        return options->options->get_float(key_of(key), fallback, min, max);
    }
    static const char* option_list_item(const latmon_options_t* options, const char* key,
                                        std::uint32_t index) noexcept {
        return options->options->get_list_item(key_of(key), index);
    }

    static const void* extension(const latmon_host_t* host, const char* id) noexcept {
        return self(host).extension(id == nullptr ? "" : id);
    }

    // -- latmon.counters/1 ------------------------------------------------------------------------
    static latmon_counter_t* counter(const latmon_host_t* host, const char* name) noexcept {
        return self(host).counters_->find_or_add(key_of(name));
    }
    static void counter_add(latmon_counter_t* counter, std::uint64_t value) noexcept {
        if (counter != nullptr) counter->value.fetch_add(value, std::memory_order_relaxed);
    }
    static void counter_set(latmon_counter_t* counter, std::uint64_t value) noexcept {
        if (counter != nullptr) counter->value.store(value, std::memory_order_relaxed);
    }

    // -- latmon.http/1 ----------------------------------------------------------------------------
    static bool route(const latmon_host_t* host, const char* path, const char* title,
                      latmon_http_handler_t handler, void* context) noexcept {
        const std::string fault =
            self(host).routes_.add(key_of(path), key_of(title), handler, context);
        if (!fault.empty()) self(host).log(LATMON_LOG_ERROR, fault);
        return fault.empty();
    }
};

namespace {

constexpr latmon_counters_t counters_table{.counter = HostFunctions::counter,
                                           .add = HostFunctions::counter_add,
                                           .set = HostFunctions::counter_set};

const latmon_http_t http_table = [] {
    latmon_http_t table = http_functions();
    table.route = HostFunctions::route;
    return table;
}();

}  // namespace

SeriesSource::SeriesSource(const SeriesTable& table)
    : registry(std::make_shared<SeriesRegistry>()) {
    for (const Series& series : table)
        registry->begin(registry->add(series));
}

Host::Host(std::string prefix, const SeriesSource& series, PluginCounters* counters)
    : table_{.functions = {.struct_size = sizeof(latmon_host_t),
                           .abi_version = LATMON_ABI_VERSION,
                           .version = version_text(),
                           .log = HostFunctions::log_line,
                           .log_enabled = HostFunctions::log_enabled,
                           .series = HostFunctions::series,
                           .series_count = HostFunctions::series_count,
                           .option_string = HostFunctions::option_string,
                           .option_bool = HostFunctions::option_bool,
                           .option_int = HostFunctions::option_int,
                           .option_float = HostFunctions::option_float,
                           .option_list_item = HostFunctions::option_list_item,
                           .extension = HostFunctions::extension},
             .host = this},
      prefix_(std::move(prefix)),
      registry_(series.registry),
      epoch_(registry_->epoch()),
      counters_(counters),
      routes_(series.routes) {}

std::string Host::last_complaint() const {
    const std::lock_guard<std::mutex> lock(complaint_mutex_);
    return complaint_;
}

void Host::log(latmon_log_level_t level, std::string_view text) {
    const log::Level own_level = HostFunctions::level_of(level);
    if (own_level >= log::Level::warning) {
        const std::lock_guard<std::mutex> lock(complaint_mutex_);
        complaint_ = text;
    }
    if (log::is_enabled(own_level)) log::write(own_level, prefix_ + std::string(text));
}

const latmon_series_t* Host::series(std::uint32_t series_id) const noexcept {
    return registry_->find(series_id, epoch_);
}

std::uint32_t Host::series_count() const noexcept {
    return registry_->end_id();
}

const void* Host::extension(std::string_view id) const noexcept {
    if (id == LATMON_WINDOWS_1) return &window_tools();
    if (id == LATMON_HTTP_1) return &http_table;
    return id == LATMON_COUNTERS_1 && counters_ != nullptr ? &counters_table : nullptr;
}

}  // namespace latmon
