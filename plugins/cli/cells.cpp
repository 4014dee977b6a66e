// SPDX-License-Identifier: Apache-2.0
//
// See cells.hpp.
#include "cli/cells.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

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

std::string count_text(std::uint64_t count) {
    if (count < 10'000'000) return std::to_string(count);
    const bool is_giga = count >= 999'500'000;
    const double value = static_cast<double>(count) / (is_giga ? 1e9 : 1e6);
    return decimal(value, decimals_for(value), is_giga ? "G" : "M");
}

std::string loss_text(std::uint64_t lost, std::uint64_t sent) {
    if (sent == 0) return "-";
    if (lost == 0) return "0 %";
    if (lost == sent) return "100 %";
    const double percent = 100.0 * static_cast<double>(lost) / static_cast<double>(sent);
    if (percent < 0.01) return "<0.01 %";
    return decimal(std::floor(percent * 100) / 100, 2, "%");
}

std::string note_text(std::span<const Note> notes) {
    std::string out;
    for (const Note& note : notes) {
        if (note.count == 0) continue;
        out += out.empty() ? "      " : ", ";
        out += count_text(note.count);
        out += note.text;
    }
    return out.empty() ? out : out + "\n";
}

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

void append_cell(std::string& out, std::string_view text, std::size_t columns) {
    out.append(columns - std::min(columns, text.size()) + 1, ' ');
    out += text;
}

std::string head_text(std::span<const Column> columns) {
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

std::string row_name(const latmon_series_t& series) {
    return fitted(method_of(series), 6) + fitted(series.target, target_columns);
}

std::string title_text(std::string_view node, std::int64_t time_ns) {
    const std::time_t seconds = time_ns / 1'000'000'000;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 64> when{};
    std::strftime(when.data(), when.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
    std::string name = fitted(node, 40);
    name.erase(name.find_last_not_of(' ') + 1);
    return "latmon at " + name + ", " + when.data();
}

}  // namespace latmon::plugins
