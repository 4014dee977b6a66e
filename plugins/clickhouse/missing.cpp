// SPDX-License-Identifier: Apache-2.0
//
// 2000 TAB [0,300] TAB [149,300] NEWLINE: the rows that the server has counted, and of each range
// of those that are missing the first and the last. Nothing else is taken for an answer.
#include "clickhouse/missing.hpp"

#include <charconv>

namespace latmon::plugins::clickhouse {
namespace {

bool take_octet(std::string_view& text, char octet) noexcept {
    if (!text.starts_with(octet)) return false;
    text.remove_prefix(1);
    return true;
}

bool take_number(std::string_view& text, std::int64_t& number) noexcept {
    const std::from_chars_result read =
        std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || number < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    return true;
}

// "[1,20,300]"
bool take_numbers(std::string_view& text, std::vector<std::int64_t>& numbers) {
    if (!take_octet(text, '[')) return false;
    while (!text.starts_with(']')) {
        std::int64_t number = 0;
        if (!numbers.empty() && !take_octet(text, ',')) return false;
        if (!take_number(text, number)) return false;
        numbers.push_back(number);
    }
    return take_octet(text, ']');
}

}  // namespace

std::optional<Missing> parse_missing(std::string_view text) {
    Missing missing;
    std::vector<std::int64_t> first;
    std::vector<std::int64_t> last;
    const bool is_whole = take_number(text, missing.rows) && take_octet(text, '\t') &&
                          take_numbers(text, first) && take_octet(text, '\t') &&
                          take_numbers(text, last) && take_octet(text, '\n') && text.empty();
    if (!is_whole || first.size() != last.size()) return std::nullopt;
    std::int64_t before = -1;
    for (std::size_t index = 0; index < first.size(); ++index) {
        if (first[index] <= before || last[index] < first[index]) return std::nullopt;
        before = last[index];
        missing.ranges.push_back({.first = first[index], .last = last[index]});
    }
    if (before >= missing.rows) return std::nullopt;
    missing.is_cut = missing.ranges.size() >= missing_ranges_max;
    return missing;
}

}  // namespace latmon::plugins::clickhouse
