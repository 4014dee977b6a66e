// SPDX-License-Identifier: Apache-2.0
//
// The functions of latmon_host_t and of its extensions, as simple as they can be.
#include "support/driver/driver_host.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace latmon::driver {

struct DriverFunctions {
    static DriverHost& self(const latmon_host_t* host) noexcept {
        return *reinterpret_cast<const DriverHost::Table*>(host)->host;
    }

    static void log(const latmon_host_t* host, latmon_log_level_t level,
                    const char* text) noexcept {
        static constexpr const char* words[] = {"?",       "DEBUG", "INFO",
                                                "WARNING", "ERROR", "CRITICAL"};
        const char* const word = words[level <= LATMON_LOG_CRITICAL ? level : 0];
        DriverHost& driver = self(host);
        const std::lock_guard<std::mutex> lock(driver.log_mutex_);
        const std::string line = std::string("[") + word + "] " + text + '\n';
        driver.log_ += line;
        if (driver.is_loud_) std::fputs(line.c_str(), stderr);
    }
    static bool log_enabled(const latmon_host_t*, latmon_log_level_t) noexcept { return true; }

    static const latmon_series_t* series(const latmon_host_t* host, std::uint32_t id) noexcept {
        const DriverHost& driver = self(host);
        return id < driver.series_.size() ? &driver.series_[id] : nullptr;
    }
    static std::uint32_t series_count(const latmon_host_t* host) noexcept {
        return static_cast<std::uint32_t>(self(host).series_.size());
    }

    static const latmon_options::Item* find(const latmon_options_t* options,
                                            const char* key) noexcept {
        for (const latmon_options::Item& item : options->items) {
            if (item.key == key) return &item;
        }
        return nullptr;
    }
    template <typename Number>
    static Number number(const latmon_options_t* options, const char* key, Number fallback) {
        const latmon_options::Item* const item = find(options, key);
        if (item == nullptr) return fallback;
        Number value = fallback;
        std::from_chars(item->text.data(), item->text.data() + item->text.size(), value);
        return value;
    }
    static const char* text(const latmon_options_t* options, const char* key,
                            const char* fallback) noexcept {
        const latmon_options::Item* const item = find(options, key);
        return item == nullptr ? fallback : item->text.c_str();
    }
    static bool flag(const latmon_options_t* options, const char* key, bool fallback) noexcept {
        const latmon_options::Item* const item = find(options, key);
        return item == nullptr ? fallback : item->text == "true";
    }
    static std::int64_t integer(const latmon_options_t* options, const char* key,
                                std::int64_t fallback, std::int64_t, std::int64_t) noexcept {
        return number(options, key, fallback);
    }
    static double real(const latmon_options_t* options, const char* key, double fallback, double,
                       double) noexcept {
        return number(options, key, fallback);
    }
    static const char* list_item(const latmon_options_t* options, const char* key,
                                 std::uint32_t index) noexcept {
        const latmon_options::Item* const item = find(options, key);
        const bool is_there = item != nullptr && index < item->list.size();
        return is_there ? item->list[index].c_str() : nullptr;
    }

    static latmon_counter_t* counter(const latmon_host_t* host, const char* name) noexcept {
        DriverHost& driver = self(host);
        for (std::uint32_t index = 0; index < driver.counter_count_; ++index) {
            if (driver.counters_[index].name == name) return &driver.counters_[index];
        }
        if (driver.counter_count_ == LATMON_COUNTERS_MAX) return nullptr;
        latmon_counter& made = driver.counters_[driver.counter_count_++];
        made.name = name;
        return &made;
    }
    static void add(latmon_counter_t* counter, std::uint64_t value) noexcept {
        if (counter != nullptr) counter->value.fetch_add(value, std::memory_order_relaxed);
    }
    static void set(latmon_counter_t* counter, std::uint64_t value) noexcept {
        if (counter != nullptr) counter->value.store(value, std::memory_order_relaxed);
    }

    // Nearest rank; the upper bound of its bucket, which is coarser than latmon's own.
    static bool quantile(const latmon_window_t* window, const latmon_distribution_t* values,
                         double ratio, std::uint64_t above, std::int64_t* value_ns) noexcept {
        const double total = static_cast<double>(values->count + above);
        const double rank = std::max(std::ceil(ratio * total), 1.0);
        if (values->count == 0 || rank > static_cast<double>(values->count)) return false;
        double passed = 0;
        const auto passes = [&](double count, double bound_ns) {
            passed += count;
            if (passed >= rank) *value_ns = std::llround(bound_ns);
            return passed >= rank;
        };
        for (std::uint32_t left = values->negative_count; left > 0; --left) {
            const latmon_bucket_t& bucket = window->buckets[values->negative_first + left - 1];
            if (passes(bucket.count, -1e9 * std::exp2((bucket.index - 1) / 128.0))) return true;
        }
        if (passes(static_cast<double>(values->zero_count), 0)) return true;
        for (std::uint32_t at = 0; at < values->positive_count; ++at) {
            const latmon_bucket_t& bucket = window->buckets[values->positive_first + at];
            if (passes(bucket.count, 1e9 * std::exp2(bucket.index / 128.0))) return true;
        }
        return false;
    }
    static bool route(const latmon_host_t* host, const char* path, const char*,
                      latmon_http_handler_t handler, void* context) {
        return self(host).pages_.add(path, handler, context);
    }

    static const void* extension(const latmon_host_t*, const char* id) noexcept {
        static constexpr latmon_counters_t counters{.counter = counter, .add = add, .set = set};
        static constexpr latmon_window_tools_t tools{.quantile = quantile};
        static const latmon_http_t http = [] {
            latmon_http_t functions = DriverPages::functions();
            functions.route = route;
            return functions;
        }();
        if (std::strcmp(id, LATMON_COUNTERS_1) == 0) return &counters;
        if (std::strcmp(id, LATMON_WINDOWS_1) == 0) return &tools;
        return std::strcmp(id, LATMON_HTTP_1) == 0 ? &http : nullptr;
    }
};

DriverHost::DriverHost(std::vector<SeriesText> series, bool is_loud) : is_loud_(is_loud) {
    table_.functions = {.struct_size = sizeof(latmon_host_t),
                        .abi_version = LATMON_ABI_VERSION,
                        .version = "0.0.0",
                        .log = DriverFunctions::log,
                        .log_enabled = DriverFunctions::log_enabled,
                        .series = DriverFunctions::series,
                        .series_count = DriverFunctions::series_count,
                        .option_string = DriverFunctions::text,
                        .option_bool = DriverFunctions::flag,
                        .option_int = DriverFunctions::integer,
                        .option_float = DriverFunctions::real,
                        .option_list_item = DriverFunctions::list_item,
                        .extension = DriverFunctions::extension};
    table_.host = this;
    for (const SeriesText& text : series) {
        add_series(text);
    }
}

std::uint32_t DriverHost::add_series(const SeriesText& added) {
    const SeriesText& text = texts_.emplace_back(added);
    std::vector<const char*>& tags = tags_.emplace_back();
    for (const std::string& tag : text.tags) {
        tags.push_back(tag.c_str());
    }
    latmon_series_t& series = series_.emplace_back();
    series.struct_size = sizeof(latmon_series_t);
    series.series_id = static_cast<std::uint32_t>(series_.size() - 1);
    series.kind = static_cast<std::uint8_t>(text.kind);
    series.protocol = static_cast<std::uint8_t>(text.protocol);
    series.port = text.port;
    series.tags_count = static_cast<std::uint32_t>(tags.size());
    series.name = text.name.c_str();
    series.source = text.source.c_str();
    series.target = text.target.c_str();
    series.host = "192.0.2.1";
    series.tags = tags.data();
    series.interval_ns = 1'000'000'000;
    series.timeout_ns = 1'000'000'000;
    series.flags = text.flags;
    series.objective_ratio = text.objective_ratio;
    series.objective_rtt_ns = text.objective_rtt_ns;
    return series.series_id;
}

bool DriverHost::add_option(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return false;
    latmon_options::Item& item = options_.items.emplace_back();
    item.key = text.substr(0, equals);
    item.text = text.substr(equals + 1);
    if (!item.text.starts_with('[') || !item.text.ends_with(']')) return true;
    std::string_view rest = std::string_view(item.text).substr(1, item.text.size() - 2);
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        item.list.emplace_back(rest.substr(0, comma));
        rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    }
    return true;
}

std::string DriverHost::log_text() const {
    const std::lock_guard<std::mutex> lock(log_mutex_);
    return log_;
}

std::uint64_t DriverHost::counter(std::string_view name) const noexcept {
    for (std::uint32_t index = 0; index < counter_count_; ++index) {
        if (counters_[index].name == name) return counters_[index].value.load();
    }
    return 0;
}

}  // namespace latmon::driver
