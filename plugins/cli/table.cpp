// SPDX-License-Identifier: Apache-2.0
//
// See table.hpp.
#include "cli/table.hpp"

#include "cli/cells.hpp"
#include "support/count_of.hpp"

#include <algorithm>
#include <string_view>

namespace latmon::plugins {
namespace {

std::string share_text(const Histogram& times, double share) {
    return times.count() == 0 ? "-" : time_text(times.percentile_ns(share));
}

constexpr Column columns[] = {
    {"", "SENT", 7}, {"", "LOST", 7},           {"", "LOSS", 7},     {"", "p50", 8},
    {"", "p99", 8},  {"ROUND TRIP", "max", 8},  {"", "forward", 10}, {"ONE WAY p50", "reverse", 10},
    {"", "p50", 8},  {"OUR LATENESS", "p99", 8}};

}  // namespace

void Table::add_delay(Delay& delay, std::int64_t owd_ns, std::uint8_t owd_class) {
    delay.times.record(owd_ns);
    delay.worst_class = std::max(delay.worst_class, owd_class);
}

void Table::count(Row& row, const latmon_sample_t& sample) {
    switch (sample.status) {
        case LATMON_STATUS_REORDERED:
            ++row.reordered;
            [[fallthrough]];
        case LATMON_STATUS_OK:
            ++row.sent;
            break;
        case LATMON_STATUS_LATE:
            ++row.late;
            break;
        case LATMON_STATUS_DUPLICATE:
            ++row.duplicate;
            break;
        case LATMON_STATUS_LOCAL_ERROR:
            ++row.not_sent;
            break;
        case LATMON_STATUS_INVALID:
            row.invalid += count_of(sample);
            break;
        case LATMON_STATUS_LOST:
        case LATMON_STATUS_LOST_FORWARD:
        case LATMON_STATUS_LOST_REVERSE:
        case LATMON_STATUS_LOST_LOCAL_TX:
        case LATMON_STATUS_LOST_LOCAL_RX:
        case LATMON_STATUS_UNREACHABLE:
            ++row.sent;
            ++row.lost;
            break;
        default:  // Of a later latmon.
            break;
    }
    // A clock that follows nobody spoils one-way delays, and these say so themselves.
    if ((sample.blame & ~LATMON_BLAME_CLOCK_UNSYNCED) != 0) ++row.blamed;
}

void Table::add(const latmon_sample_t& sample, const latmon_series_t& series) {
    if (sample.kind != LATMON_KIND_EXCHANGE && sample.kind != LATMON_KIND_CONNECT) return;
    Row& row = rows_[sample.series_id];
    row.series = &series;
    last_time_ns_ = std::max(last_time_ns_, sample.time_ns);
    count(row, sample);
    const auto has = [&](std::uint32_t bit) -> bool { return (sample.valid & bit) != 0; };
    if (has(LATMON_HAS_RTT)) row.rtt.record(sample.rtt_ns);
    if (has(LATMON_HAS_SCHEDULE)) row.lateness.record(sample.lateness_ns);
    if (has(LATMON_HAS_OWD_FWD)) add_delay(row.forward, sample.owd_fwd_ns, sample.owd_class);
    if (has(LATMON_HAS_OWD_REV)) add_delay(row.reverse, sample.owd_rev_ns, sample.owd_class);
}

std::string Table::delay_text(const Delay& delay) {
    if (delay.times.count() == 0) return "-";
    constexpr std::string_view letters = "?berf";
    const std::size_t place = delay.worst_class;
    std::string text = share_text(delay.times, 0.5) + " ";
    text += place < letters.size() ? letters[place] : '?';
    return text;
}

std::string Table::row_text(const Row& row) {
    const std::string cells[] = {
        count_text(row.sent),           count_text(row.lost),
        loss_text(row.lost, row.sent),  share_text(row.rtt, 0.50),
        share_text(row.rtt, 0.99),      row.rtt.count() == 0 ? "-" : time_text(row.rtt.max_ns()),
        delay_text(row.forward),        delay_text(row.reverse),
        share_text(row.lateness, 0.50), share_text(row.lateness, 0.99),
    };
    static_assert(std::size(cells) == std::size(columns));
    std::string out = row_name(*row.series);
    for (std::size_t index = 0; index < std::size(cells); ++index) {
        append_cell(out, cells[index], columns[index].columns);
    }
    const Note notes[] = {{row.late, " late"},           {row.duplicate, " duplicate"},
                          {row.reordered, " reordered"}, {row.not_sent, " not sent"},
                          {row.invalid, " invalid"},     {row.blamed, " disturbed by this host"}};
    return out + "\n" + note_text(notes);
}

std::string Table::title() const {
    if (rows_.empty()) return "latmon: no samples yet\n";
    return title_text(rows_.begin()->second.series->source, last_time_ns_) + "\n";
}

std::string Table::render(std::uint32_t lines_max) const {
    std::string out = title();
    if (rows_.empty()) return out;
    out += head_text(columns);
    std::int64_t lines_left = lines_max == 0 ? INT64_MAX : std::int64_t{lines_max} - 4;
    std::size_t shown = 0;
    for (const auto& [id, row] : rows_) {
        const std::string text = row_text(row);
        lines_left -= std::ranges::count(text, '\n');
        if (lines_left < 0) break;
        out += text;
        ++shown;
    }
    if (shown < rows_.size()) {
        out += "and " + std::to_string(rows_.size() - shown) + " more\n";
    }
    return out;
}

}  // namespace latmon::plugins
