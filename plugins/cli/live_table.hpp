// SPDX-License-Identifier: Apache-2.0
//
// What `format = "human"` shows on a terminal: a row per target, with figures of the last minute,
// made of windows. Knows nothing of terminals but their colours. Memory: per series the windows of
// that time, each some 250 octets and 8 for each bucket of its round trips. One thread at a time.
//
//   PROTO TARGET   SENT    LOSS    last     p50     p99     max  jitter  OBJECTIVE
//   udp   fra-1     600  0.33 %  250 us  251 us  900 us 1.20 ms  2.1 us  98.20 % !
//         1 late, 3 reordered
//
// Percentiles are those of the answered and the lost, where lost is longer than anything: "lost"
// stands for one that was.
#pragma once

#include <latmon/host.h>
#include <latmon/window.h>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace latmon::plugins {

class LiveTable {
public:
    struct Options {
        std::int64_t span_ns = 60'000'000'000;  // What the figures are of.
        bool is_worst_first = false;            // Else in the order of the configuration.
        bool has_colour = false;
    };
    // `host` and its series outlive the table.
    LiveTable(const latmon_host_t* host, const Options& options);

    // Exchanges and connects are shown. Of windows of several lengths those of the one that came
    // first; the others would count everything twice.
    void add(const latmon_window_t& window);
    void remove(std::uint32_t series_id) { rows_.erase(series_id); }

    // The table as text, each line with its newline. At most `lines_max` of them, the last one then
    // says how many series are missing; 0: no limit.
    [[nodiscard]] std::string render(std::uint32_t lines_max) const;

private:
    // What is kept of one window, or the sum of several.
    struct Part {
        std::int64_t end_ns = 0;  // Of a sum: nothing.
        std::uint64_t answered = 0;
        std::uint64_t lost = 0;
        std::uint64_t judged_lost = 0;  // Of them, those that percentiles are over.
        std::uint64_t by_status[LATMON_WINDOW_STATUSES] = {};
        std::uint64_t tainted = 0;
        latmon_distribution_t rtt{};
        std::uint64_t objective_count = 0;
        std::uint64_t objective_good = 0;
        double objective_ratio = 0;
        std::vector<latmon_bucket_t> buckets{};  // Of rtt: positive ones alone.
    };
    struct Row {
        const latmon_series_t* series = nullptr;
        std::deque<Part> parts;
        std::optional<std::int64_t> last_rtt_ns;
        std::optional<std::int64_t> jitter_ns;
    };
    struct Shown {
        const Row* row;
        Part sum;
    };

    static Part part_of(const latmon_window_t& window);
    static void add_to(Part& sum, const Part& part);
    // Without buckets.
    [[nodiscard]] Part sum_of(const Row& row) const;
    void merge_buckets(Part& sum, const Row& row) const;
    [[nodiscard]] bool is_recent(const Part& part) const noexcept;
    static bool is_worse(const Shown& one, const Shown& other);
    static bool is_broken(const Part& sum);
    [[nodiscard]] std::string row_text(Shown& shown) const;
    [[nodiscard]] std::string rank_text(const Part& sum, double ratio) const;
    [[nodiscard]] std::string painted(const std::string& text, const char* colour) const;

    const latmon_host_t* host_;
    const latmon_window_tools_t* tools_;
    Options options_;
    std::int64_t length_ns_ = 0;         // Of the windows that are taken; 0: not known yet.
    std::int64_t last_end_ns_ = 0;       // Of the newest window: what the table is "as of".
    std::map<std::uint32_t, Row> rows_;  // By series id: rows keep their places.
};

}  // namespace latmon::plugins
