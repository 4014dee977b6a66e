// SPDX-License-Identifier: Apache-2.0
//
// Formats and sorts the mistakes of a configuration.
#include "config/mistakes.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <tuple>
#include <utility>

namespace latmon {
namespace {

constexpr std::size_t errors_shown = 100;
constexpr std::size_t quoted_octets_max = 60;

bool is_before(SourcePosition a, SourcePosition b) noexcept {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
}

}  // namespace

Mistakes::Mistakes(std::string file) : file_(std::move(file)) {}

void Mistakes::error(SourcePosition where, std::string_view text) {
    errors_.push_back(Entry{where, line_of(where, text)});
}

void Mistakes::warn(SourcePosition where, std::string_view text) {
    warnings_.push_back(Entry{where, line_of(where, text)});
}

void Mistakes::command_line_error(std::string_view text) {
    errors_.push_back(Entry{{}, fmt::format("command line: {}", text)});
}

void Mistakes::command_line_warning(std::string_view text) {
    warnings_.push_back(Entry{{}, fmt::format("command line: {}", text)});
}

std::string Mistakes::line_of(SourcePosition where, std::string_view text) const {
    if (where.line != 0) {
        return fmt::format("{}:{}:{}: {}", file_, where.line, where.column, text);
    }
    return file_.empty() ? std::string(text) : fmt::format("{}: {}", file_, text);
}

std::vector<Mistakes::Entry> Mistakes::sorted(std::vector<Entry> entries) {
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return is_before(a.where, b.where); });
    return entries;
}

std::string Mistakes::errors_text() const {
    std::string text;
    std::size_t shown = 0;
    for (const Entry& entry : sorted(errors_)) {
        if (shown == errors_shown) break;
        if (shown > 0) text += '\n';
        text += entry.line;
        ++shown;
    }
    if (errors_.size() > shown) text += fmt::format("\n... and {} more", errors_.size() - shown);
    return text;
}

std::vector<std::string> Mistakes::warnings() const {
    std::vector<std::string> lines;
    for (Entry& entry : sorted(warnings_)) {
        lines.push_back(std::move(entry.line));
    }
    return lines;
}

std::string in_quotes(std::string_view text) {
    std::string result = "\"";
    for (const char letter : text.substr(0, quoted_octets_max)) {
        const bool is_control = static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
        result += is_control ? '?' : letter;
    }
    // A character that was cut in two would not be UTF-8: its rest goes too.
    if (text.size() > quoted_octets_max) {
        while ((static_cast<unsigned char>(result.back()) & 0xc0U) == 0x80U) {
            result.pop_back();
        }
        if ((static_cast<unsigned char>(result.back()) & 0x80U) != 0) result.pop_back();
        result += "...";
    }
    return result + '"';
}

}  // namespace latmon
