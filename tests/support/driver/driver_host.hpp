// SPDX-License-Identifier: Apache-2.0
//
// A latmon as a plugin sees it, without one: options from the command line, series that were made
// up, counters that can be read, a log that is kept. Options are not checked for range or name:
// what latmon does with a wrong one is tested with latmon. One thread but for log and counters.
#pragma once

#include "support/driver/driver_http.hpp"

#include <latmon/latmon.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

struct latmon_counter {
    std::string name;
    std::atomic<std::uint64_t> value = 0;
};

// The option functions of the host are given this.
struct latmon_options {
    struct Item {
        std::string key;
        std::string text;
        std::vector<std::string> list;
    };
    std::vector<Item> items;
};

namespace latmon::driver {

struct SeriesText {
    latmon_kind_t kind = LATMON_KIND_EXCHANGE;
    latmon_protocol_t protocol = LATMON_PROTOCOL_UDP;
    std::string name{};
    std::string source{};
    std::string target{};
    std::vector<std::string> tags{};
    std::uint16_t port = 8001;
    std::uint32_t flags = 0;
    double objective_ratio = 0;
    std::int64_t objective_rtt_ns = 0;
};

class DriverHost {
public:
    // `is_loud`: log lines go to standard error too.
    explicit DriverHost(std::vector<SeriesText> series, bool is_loud = false);
    DriverHost(const DriverHost&) = delete;
    DriverHost& operator=(const DriverHost&) = delete;

    [[nodiscard]] const latmon_host_t* table() const noexcept { return &table_.functions; }
    [[nodiscard]] const latmon_options_t* options() const noexcept { return &options_; }

    // "key=value", or "key=[a,b]" for a list of strings. A value is read as the type that the
    // plugin asks for. False if there is no '='.
    [[nodiscard]] bool add_option(std::string_view text);

    // A series that is there from now on; its id. Does not tell the plugin. [main-thread]
    std::uint32_t add_series(const SeriesText& text);

    // The plugin's pages. [any-thread]
    [[nodiscard]] const DriverPages& pages() const noexcept { return pages_; }

    // All lines of the log so far, each with its newline. [any-thread]
    [[nodiscard]] std::string log_text() const;

    // The counter's value; 0 if the plugin has none of that name. [any-thread]
    [[nodiscard]] std::uint64_t counter(std::string_view name) const noexcept;
    [[nodiscard]] const latmon_counter& counter_at(std::uint32_t index) const noexcept {
        return counters_[index];
    }
    [[nodiscard]] std::uint32_t counter_count() const noexcept { return counter_count_; }

private:
    struct Table {
        latmon_host_t functions;
        DriverHost* host;
    };
    friend struct DriverFunctions;

    Table table_{};
    bool is_loud_;
    mutable std::mutex log_mutex_;
    std::string log_;
    latmon_options options_;
    // What a plugin may point to stays where it is.
    std::deque<SeriesText> texts_;
    std::deque<std::vector<const char*>> tags_;
    std::deque<latmon_series_t> series_;
    DriverPages pages_;
    std::array<latmon_counter, LATMON_COUNTERS_MAX> counters_;
    std::uint32_t counter_count_ = 0;
};

}  // namespace latmon::driver
