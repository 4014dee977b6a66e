// SPDX-License-Identifier: Apache-2.0
//
// Whole scrapes of a Store, as a text, and samples to make windows of; for the tests of this folder
// alone. One thread.
#pragma once

#include "prometheus/scrape.hpp"
#include "support/driver/driver_host.hpp"
#include "support/driver/window_maker.hpp"

#include <doctest/doctest.h>
#include <string>

namespace latmon::plugins::prometheus {

inline constexpr std::int64_t second_ns = 1'000'000'000;
inline constexpr std::int64_t start_ns = 1'700'000'040 * second_ns;  // Begins a minute.

class StringSink final : public Sink {
public:
    void take(std::string_view octets) override { text += octets; }

    std::string text;
};

inline std::string scrape(Store& store, const Format& format,
                          Exposition exposition = Exposition::text, bool has_percentiles = false) {
    StringSink sink;
    const Store::Snapshot snapshot(store);
    const Scrape wanted{.choice = {.exposition = exposition}};
    CHECK(write_scrape(wanted, snapshot, {.version = "1.2", .has_percentiles = has_percentiles},
                       format, sink));
    return sink.text;
}

inline bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

// What was done with a probe, by its status; `rtt_ns` if it was answered.
inline latmon_sample_t probe(std::uint32_t series_id, std::int64_t rtt_ns,
                             latmon_status_t status = LATMON_STATUS_OK) {
    latmon_sample_t sample{};
    sample.series_id = series_id;
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.status = static_cast<std::uint8_t>(status);
    sample.time_ns = start_ns;
    sample.sequence = 7;
    if (status == LATMON_STATUS_OK || status == LATMON_STATUS_REORDERED) {
        sample.valid = LATMON_HAS_RTT;
        sample.rtt_ns = rtt_ns;
    }
    return sample;
}

}  // namespace latmon::plugins::prometheus
