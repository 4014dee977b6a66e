// SPDX-License-Identifier: Apache-2.0
//
// Numbers to columns. Every cell is made as text first and cut or padded to its column then, so
// that the table is aligned whatever the numbers are.
#include "cli/table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <vector>

namespace latmon::plugins {
namespace {

constexpr std::size_t target_columns = 20;

std::string decimal(double value, int decimals, std::string_view unit) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.*f ", decimals, value);
    return std::string(text.data()).append(unit);
}

// Decimals that leave three digits, after rounding.
int decimals_for(double magnitude) noexcept {
    if (magnitude < 9.995) return 2;
    return magnitude < 99.95 ? 1 : 0;
}

std::string count_text(std::uint64_t count) {
    if (count < 10'000'000) return std::to_string(count);
    const bool is_giga = count >= 999'500'000;
    const double value = static_cast<double>(count) / (is_giga ? 1e9 : 1e6);
    return decimal(value, decimals_for(value), is_giga ? "G" : "M");
}

// Never rounds some loss to none, nor some answers to none.
std::string loss_text(std::uint64_t lost, std::uint64_t sent) {
    if (sent == 0) return "-";
    if (lost == 0) return "0 %";
    if (lost == sent) return "100 %";
    const double percent = 100.0 * static_cast<double>(lost) / static_cast<double>(sent);
    if (percent < 0.01) return "<0.01 %";
    return decimal(std::floor(percent * 100) / 100, 2, "%");
}

std::string share_text(const Histogram& times, double share) {
    return times.count() == 0 ? "-" : time_text(times.percentile_ns(share));
}

// `utf8` in exactly `columns`, a code point each; what would move the cursor is shown as '?'.
std::string fitted(std::string_view utf8, std::size_t columns) {
    std::string out;
    std::size_t used = 0;
    for (const char octet : utf8) {
        const bool is_continued = (static_cast<unsigned char>(octet) & 0xC0U) == 0x80;
        if (!is_continued && used++ == columns) {
            while ((static_cast<unsigned char>(out.back()) & 0xC0U) == 0x80) {
                out.pop_back();
            }
            out.back() = '~';
            return out;
        }
        const unsigned char value = static_cast<unsigned char>(octet);
        out += value < 0x20 || value == 0x7F ? '?' : octet;
    }
    return out.append(columns - used, ' ');
}

// ASCII text, right-aligned behind one space.
void append_cell(std::string& out, std::string_view text, std::size_t columns) {
    out.append(columns - std::min(columns, text.size()) + 1, ' ');
    out += text;
}

struct Column {
    std::string_view group;  // Stands above this and the columns before it that have none.
    std::string_view name;
    std::size_t columns;
};

constexpr Column columns[] = {
    {"", "SENT", 7}, {"", "LOST", 7},           {"", "LOSS", 7},     {"", "p50", 8},
    {"", "p99", 8},  {"ROUND TRIP", "max", 8},  {"", "forward", 10}, {"ONE WAY p50", "reverse", 10},
    {"", "p50", 8},  {"OUR LATENESS", "p99", 8}};

std::string head_text() {
    std::string groups = fitted("", 6 + target_columns);
    std::string names = "PROTO " + fitted("TARGET", target_columns);
    std::size_t skipped = 0;
    for (const Column& column : columns) {
        append_cell(names, column.name, column.columns);
        skipped += column.columns + 1;
        if (column.group.empty()) continue;
        append_cell(groups, column.group, skipped - 1);
        skipped = 0;
    }
    return groups + "\n" + names + "\n";
}

std::string_view method_of(const latmon_series_t& series) noexcept {
    if (series.kind == LATMON_KIND_CONNECT) return "conn";
    return series.protocol == LATMON_PROTOCOL_TCP ? "tcp" : "udp";
}

}  // namespace

std::string time_text(std::int64_t ns) {
    struct Unit {
        double ns;
        std::string_view name;
    };
    constexpr Unit units[] = {{1e3, "us"}, {1e6, "ms"}, {1e9, "s"}};
    if (ns > -1000 && ns < 1000) return std::to_string(ns) + " ns";
    const Unit* unit = std::begin(units);
    const double magnitude = std::abs(static_cast<double>(ns));
    while (unit + 1 != std::end(units) && magnitude / unit->ns >= 999.5) {
        ++unit;
    }
    return decimal(static_cast<double>(ns) / unit->ns, decimals_for(magnitude / unit->ns),
                   unit->name);
}

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
            ++row.invalid;
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

std::string Table::note_text(const Row& row) {
    struct Note {
        std::uint64_t count;
        std::string_view text;
    };
    const Note notes[] = {{row.late, " late"},           {row.duplicate, " duplicate"},
                          {row.reordered, " reordered"}, {row.not_sent, " not sent"},
                          {row.invalid, " invalid"},     {row.blamed, " disturbed by this host"}};
    std::string out;
    for (const Note& note : notes) {
        if (note.count == 0) continue;
        out += out.empty() ? "      " : ", ";
        out += count_text(note.count);
        out += note.text;
    }
    return out.empty() ? out : out + "\n";
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
    std::string out =
        fitted(method_of(*row.series), 6) + fitted(row.series->target, target_columns);
    for (std::size_t index = 0; index < std::size(cells); ++index) {
        append_cell(out, cells[index], columns[index].columns);
    }
    return out + "\n" + note_text(row);
}

std::string Table::title() const {
    if (rows_.empty()) return "latmon: no samples yet\n";
    const std::time_t seconds = last_time_ns_ / 1'000'000'000;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 64> when{};
    std::strftime(when.data(), when.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
    std::string name = fitted(rows_.begin()->second.series->source, 40);
    name.erase(name.find_last_not_of(' ') + 1);
    return "latmon at " + name + ", " + when.data() + "\n";
}

std::string Table::render(std::uint32_t lines_max) const {
    std::string out = title();
    if (rows_.empty()) return out;
    out += head_text();
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
