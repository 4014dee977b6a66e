// SPDX-License-Identifier: Apache-2.0
//
// What `format = "human"` shows: one row per series since start, in 120 columns. Knows nothing of
// terminals and files. Memory: per series four histograms (support/histogram.hpp) and some
// counters. One thread at a time.
//
//   PROTO TARGET   SENT  LOST    LOSS      p50      p99      max    forward    reverse ...
//   udp   fra-1   86400     2 <0.01 %  12.3 us  40.1 us  1.20 ms  6.12 us e  6.15 us e ...
//         1 late, 3 reordered
//
// The letter behind a one-way delay is the worst class among those that it is made of: (b)ounded,
// (e)stimated, (r)elative.
#pragma once

#include "support/histogram.hpp"

#include <latmon/host.h>
#include <latmon/sample.h>

#include <cstdint>
#include <map>
#include <string>

namespace latmon::plugins {

class Table {
public:
    // Exchanges and connects are counted, other kinds are not. `series` must outlive the table.
    void add(const latmon_sample_t& sample, const latmon_series_t& series);

    // The table as text, each line with its newline. At most `lines_max` of them, the last one then
    // says how many series are missing; 0: no limit.
    [[nodiscard]] std::string render(std::uint32_t lines_max) const;

private:
    struct Delay {
        Histogram times;
        std::uint8_t worst_class = LATMON_OWD_NONE;
    };
    struct Row {
        const latmon_series_t* series = nullptr;
        std::uint64_t sent = 0;
        std::uint64_t lost = 0;
        std::uint64_t late = 0;
        std::uint64_t duplicate = 0;
        std::uint64_t reordered = 0;
        std::uint64_t not_sent = 0;
        std::uint64_t invalid = 0;
        std::uint64_t blamed = 0;
        Histogram rtt;
        Histogram lateness;
        Delay forward;
        Delay reverse;
    };

    static void count(Row& row, const latmon_sample_t& sample);
    static void add_delay(Delay& delay, std::int64_t owd_ns, std::uint8_t owd_class);
    static std::string delay_text(const Delay& delay);
    static std::string row_text(const Row& row);
    [[nodiscard]] std::string title() const;

    std::map<std::uint32_t, Row> rows_;  // By series id: rows keep their places.
    std::int64_t last_time_ns_ = 0;      // Of the newest sample: what the table is "as of".
};

}  // namespace latmon::plugins
