// SPDX-License-Identifier: Apache-2.0
//
// The functions of latmon_host_t. They are noexcept: an exception of ours must not pass through a
// plugin written in C. Null pointers from a plugin are answered like an absent value; anything more
// would be a check of memory that only the plugin knows.
#include "exporter/host.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
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
};

namespace {

constexpr latmon_counters_t counters_table{.counter = HostFunctions::counter,
                                           .add = HostFunctions::counter_add,
                                           .set = HostFunctions::counter_set};

std::vector<const char*> tags_of(const Series& series) {
    std::vector<const char*> tags;
    tags.reserve(series.tags.size());
    for (const std::string& tag : series.tags)
        tags.push_back(tag.c_str());
    return tags;
}

latmon_series_t make_series(const Series& series, std::uint32_t id,
                            const std::vector<const char*>& tags) {
    return latmon_series_t{
        .struct_size = sizeof(latmon_series_t),
        .series_id = id,
        .kind = static_cast<std::uint8_t>(series.kind),
        .protocol = static_cast<std::uint8_t>(series.protocol),
        .port = series.port,
        .tags_count = static_cast<std::uint32_t>(tags.size()),
        .name = series.name.c_str(),
        .source = series.source.c_str(),
        .target = series.target.c_str(),
        .host = series.host.c_str(),
        .tags = tags.data(),
        .interval_ns = series.interval.ns,
        .timeout_ns = series.timeout.ns,
        .flags = series.flags,
    };
}

}  // namespace

Host::Host(std::string prefix, const SeriesSource& series, PluginCounters* counters)
    : table_{.functions = {.struct_size = sizeof(latmon_host_t),
                           .abi_version = LATMON_ABI_VERSION,
                           .version = LATMON_VERSION,
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
      late_source_(series.late),
      counters_(counters) {
    tags_.reserve(series.table.size());
    series_.reserve(series.table.size());
    for (const Series& one : series.table) {
        tags_.push_back(tags_of(one));
        series_.push_back(
            make_series(one, static_cast<std::uint32_t>(series_.size()), tags_.back()));
    }
    if (late_source_ == nullptr) return;
    LATMON_ASSERT(late_source_->first_id() == series_.size());
    late_ = std::vector<std::atomic<const latmon_series_t*>>(late_source_->end_id() -
                                                             late_source_->first_id());
}

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
    if (series_id < series_.size()) return &series_[series_id];
    const std::size_t index = series_id - series_.size();
    if (index >= late_.size()) return nullptr;
    const latmon_series_t* const known = late_[index].load(std::memory_order_acquire);
    return known != nullptr ? known : late_series(series_id);
}

// Two threads may come here for the same id: the one that finds it made takes what there is.
const latmon_series_t* Host::late_series(std::uint32_t series_id) const noexcept {
    const std::lock_guard<std::mutex> lock(late_mutex_);
    std::atomic<const latmon_series_t*>& place = late_[series_id - series_.size()];
    const latmon_series_t* const known = place.load(std::memory_order_relaxed);
    if (known != nullptr) return known;
    std::optional<Series> series = late_source_->find(series_id);
    if (!series) return nullptr;
    Late& made = late_made_.emplace_back();  // Stays where it is: a deque, and nothing is erased.
    made.series = std::move(*series);
    made.tags = tags_of(made.series);
    made.shown = make_series(made.series, series_id, made.tags);
    place.store(&made.shown, std::memory_order_release);  // Publishes what it points to.
    return &made.shown;
}

std::uint32_t Host::series_count() const noexcept {
    return static_cast<std::uint32_t>(series_.size() + late_.size());
}

const void* Host::extension(std::string_view id) const noexcept {
    if (id == LATMON_WINDOWS_1) return &window_tools();
    return id == LATMON_COUNTERS_1 && counters_ != nullptr ? &counters_table : nullptr;
}

}  // namespace latmon
