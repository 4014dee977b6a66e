// SPDX-License-Identifier: Apache-2.0
//
// See live_table.hpp. Windows are added up when the table is drawn, and their histograms only for
// rows that are shown: a terminal has room for fewer than there may be targets.
#include "cli/live_table.hpp"

#include "cli/cells.hpp"
#include "support/judged.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace latmon::plugins {
namespace {

constexpr Column columns[] = {{"", "SENT", 7},
                              {"", "LOSS", 7},
                              {"", "last", 8},
                              {"", "p50", 8},
                              {"", "p99", 8},
                              {"", "max", 8},
                              {"ROUND TRIP", "jitter", 8},
                              {"", "OBJECTIVE", 10}};

constexpr const char* red = "\x1b[31m";
constexpr const char* yellow = "\x1b[33m";
constexpr const char* plain = "\x1b[0m";

// Rounded down, so that what falls short of 100 % never looks like it.
std::string objective_text(std::uint64_t good, std::uint64_t count) {
    if (count == 0) return "-";
    const double share = static_cast<double>(good) / static_cast<double>(count);
    const double percent = good == count ? 100.0 : std::min(std::floor(share * 1e4), 9'999.0) / 100;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f %%", percent);
    return text.data();
}

}  // namespace

LiveTable::LiveTable(const latmon_host_t* host, const Options& options)
    : host_(host),
      tools_(static_cast<const latmon_window_tools_t*>(host->extension(host, LATMON_WINDOWS_1))),
      options_(options) {}

// -- Windows --------------------------------------------------------------------------------------

LiveTable::Part LiveTable::part_of(const latmon_window_t& window) {
    Part part;
    part.end_ns = window.begin_ns + window.length_ns;
    part.answered = window.answered;
    part.lost = window.lost;
    part.judged_lost = judged_lost(window);
    std::ranges::copy(window.by_status, std::begin(part.by_status));
    part.tainted = window.tainted;
    part.rtt = window.rtt;
    if ((window.valid & LATMON_WINDOW_HAS_OBJECTIVE) != 0) {
        part.objective_count = window.objective_count;
        part.objective_good = window.objective_good;
        part.objective_ratio = window.objective_ratio;
    }
    const latmon_bucket_t* const first = window.buckets + window.rtt.positive_first;
    part.buckets.assign(first, first + window.rtt.positive_count);
    return part;
}

void LiveTable::add(const latmon_window_t& window) {
    if (length_ns_ == 0) length_ns_ = window.length_ns;
    if (window.length_ns != length_ns_) return;
    const latmon_series_t* const series = host_->series(host_, window.series_id);
    if (series == nullptr) return;
    if (series->kind != LATMON_KIND_EXCHANGE && series->kind != LATMON_KIND_CONNECT) return;
    Row& row = rows_[window.series_id];
    row.series = series;
    row.parts.push_back(part_of(window));
    if ((window.valid & LATMON_WINDOW_HAS_LAST) != 0) row.last_rtt_ns = window.last_rtt_ns;
    if (window.rtt_ipdv.count > 0) row.jitter_ns = window.rtt_ipdv.smoothed_ns;
    // Not the newest of all: a clock that was set back would leave the table empty.
    last_end_ns_ = row.parts.back().end_ns;
    const std::size_t parts_max =
        static_cast<std::size_t>(std::max<std::int64_t>(options_.span_ns / window.length_ns, 1));
    while (row.parts.size() > parts_max)
        row.parts.pop_front();
}

void LiveTable::add_to(Part& sum, const Part& part) {
    sum.answered += part.answered;
    sum.lost += part.lost;
    sum.judged_lost += part.judged_lost;
    sum.tainted += part.tainted;
    for (std::size_t status = 0; status < LATMON_WINDOW_STATUSES; ++status) {
        sum.by_status[status] += part.by_status[status];
    }
    sum.objective_count += part.objective_count;
    sum.objective_good += part.objective_good;
    sum.objective_ratio = std::max(sum.objective_ratio, part.objective_ratio);
    if (part.rtt.count == 0) return;
    const bool is_first = sum.rtt.count == 0;
    sum.rtt.min_ns = is_first ? part.rtt.min_ns : std::min(sum.rtt.min_ns, part.rtt.min_ns);
    sum.rtt.max_ns = is_first ? part.rtt.max_ns : std::max(sum.rtt.max_ns, part.rtt.max_ns);
    sum.rtt.count += part.rtt.count;
    sum.rtt.zero_count += part.rtt.zero_count;
}

// Windows without a sample are not given: those of long ago may still be a row's last ones.
bool LiveTable::is_recent(const Part& part) const noexcept {
    return part.end_ns > last_end_ns_ - options_.span_ns;
}

LiveTable::Part LiveTable::sum_of(const Row& row) const {
    Part sum;
    for (const Part& part : row.parts) {
        if (is_recent(part)) add_to(sum, part);
    }
    return sum;
}

void LiveTable::merge_buckets(Part& sum, const Row& row) const {
    std::map<std::int32_t, std::uint32_t> merged;
    for (const Part& part : row.parts) {
        if (!is_recent(part)) continue;
        for (const latmon_bucket_t& bucket : part.buckets) {
            merged[bucket.index] += bucket.count;
        }
    }
    sum.buckets.clear();
    for (const auto& [index, count] : merged) {
        sum.buckets.push_back({.index = index, .count = count});
    }
}

// -- Rows -----------------------------------------------------------------------------------------

// As latmon judges a window (latmon/window.h): 99.9 % of 1,000 are 999.
bool LiveTable::is_broken(const Part& sum) {
    constexpr double rounding = 1e-6;  // Of an exchange.
    const double least = sum.objective_ratio * static_cast<double>(sum.objective_count);
    return static_cast<double>(sum.objective_good) + rounding < least;
}

// Broken promises first, then loss, then what took longest.
bool LiveTable::is_worse(const Shown& one, const Shown& other) {
    const auto loss_of = [](const Part& sum) {
        const std::uint64_t sent = sum.answered + sum.lost;
        return sent == 0 ? 0.0 : static_cast<double>(sum.lost) / static_cast<double>(sent);
    };
    const bool is_one_broken = is_broken(one.sum);
    if (is_one_broken != is_broken(other.sum)) return is_one_broken;
    const double loss = loss_of(one.sum);
    const double other_loss = loss_of(other.sum);
    if (loss != other_loss) return loss > other_loss;
    return one.sum.rtt.max_ns > other.sum.rtt.max_ns;
}

std::string LiveTable::rank_text(const Part& sum, double ratio) const {
    if (tools_ == nullptr || sum.rtt.count + sum.judged_lost == 0) return "-";
    latmon_window_t window{};
    window.struct_size = sizeof(window);
    window.rtt = sum.rtt;
    window.rtt.positive_first = 0;
    window.rtt.positive_count = static_cast<std::uint32_t>(sum.buckets.size());
    window.rtt.negative_count = 0;
    window.buckets = sum.buckets.data();
    window.bucket_count = window.rtt.positive_count;
    std::int64_t value_ns = 0;
    const bool is_answered =
        tools_->quantile(&window, &window.rtt, ratio, sum.judged_lost, &value_ns);
    return is_answered ? time_text(value_ns) : "lost";
}

std::string LiveTable::painted(const std::string& text, const char* colour) const {
    return options_.has_colour && colour != nullptr ? colour + text + plain : text;
}

std::string LiveTable::row_text(Shown& shown) const {
    const Part& sum = shown.sum;
    const Row& row = *shown.row;
    merge_buckets(shown.sum, row);
    const auto of = [&](std::size_t status) { return sum.by_status[status]; };
    const std::uint64_t sent = sum.answered + sum.lost;
    const bool is_missed = is_broken(sum);
    const char* const loss_colour = sum.lost == 0 ? nullptr : sum.answered == 0 ? red : yellow;
    struct Cell {
        std::string text;
        const char* colour = nullptr;
    };
    const Cell cells[] = {
        {count_text(sent)},
        {loss_text(sum.lost, sent), loss_colour},
        {row.last_rtt_ns && sum.rtt.count > 0 ? time_text(*row.last_rtt_ns) : "-"},
        {rank_text(sum, 0.50)},
        {rank_text(sum, 0.99)},
        {sum.rtt.count == 0 ? "-" : time_text(sum.rtt.max_ns)},
        {row.jitter_ns && sum.rtt.count > 0 ? time_text(*row.jitter_ns) : "-"},
        {objective_text(sum.objective_good, sum.objective_count) + (is_missed ? " !" : ""),
         is_missed ? red : nullptr},
    };
    static_assert(std::size(cells) == std::size(columns));
    std::string out = row_name(*row.series);
    for (std::size_t index = 0; index < std::size(cells); ++index) {
        std::string cell;
        append_cell(cell, cells[index].text, columns[index].columns);
        out += painted(cell, cells[index].colour);
    }
    const Note notes[] = {
        {of(LATMON_STATUS_LATE), " late"},
        {of(LATMON_STATUS_DUPLICATE), " duplicate"},
        {of(LATMON_STATUS_REORDERED), " reordered"},
        {of(LATMON_STATUS_LOCAL_ERROR), " not sent"},
        {of(LATMON_STATUS_LOST_LOCAL_TX) + of(LATMON_STATUS_LOST_LOCAL_RX), " lost in this host"},
        {of(LATMON_STATUS_INVALID), " invalid"},
        {sum.tainted, " disturbed by this host"}};
    return out + "\n" + note_text(notes);
}

std::string LiveTable::render(std::uint32_t lines_max) const {
    if (rows_.empty()) return "latmon: no windows yet\n";
    std::vector<Shown> all;
    for (const auto& [id, row] : rows_) {
        all.push_back({.row = &row, .sum = sum_of(row)});
    }
    if (options_.is_worst_first) std::ranges::stable_sort(all, is_worse);
    std::string out = title_text(rows_.begin()->second.series->source, last_end_ns_) + ", last " +
                      std::to_string(options_.span_ns / 1'000'000'000) + " s\n" +
                      head_text(columns);
    std::int64_t lines_left = lines_max == 0 ? INT64_MAX : std::int64_t{lines_max} - 4;
    std::size_t shown = 0;
    for (; shown < all.size() && lines_left > 0; ++shown) {
        const std::string text = row_text(all[shown]);
        lines_left -= std::ranges::count(text, '\n');
        if (lines_left < 0) break;
        out += text;
    }
    if (shown < all.size()) out += "and " + std::to_string(all.size() - shown) + " more\n";
    return out;
}

}  // namespace latmon::plugins
