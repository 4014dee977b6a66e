// SPDX-License-Identifier: Apache-2.0
//
// Edit distance by dynamic programming over three rows; words longer than any key of ours are not
// looked at, so that the cost is bounded whatever stands in a file.
#include "config/suggest.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace latmon {
namespace {

constexpr std::size_t letters_max = 40;

char folded(char letter) noexcept {
    if (letter >= 'A' && letter <= 'Z') return static_cast<char>(letter - 'A' + 'a');
    return letter == '-' ? '_' : letter;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::swap(before_last, last);
        std::swap(last, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const char from = folded(a[i - 1]);
            const char to = folded(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (from == to ? 0U : 1U)});
            const bool is_swap =
                i > 1 && j > 1 && from == folded(b[j - 2]) && to == folded(a[i - 2]);
            if (is_swap) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
    }
    return row[b.size()];
}

std::optional<std::string_view> closest_word(std::string_view typed,
                                             std::span<const std::string_view> words) {
    if (typed.empty() || typed.size() > letters_max) return std::nullopt;
    std::optional<std::string_view> closest;
    std::size_t distance_max = typed.size() <= 4 ? 1 : 2;
    for (const std::string_view word : words) {
        const std::size_t distance = edit_distance(typed, word);
        const bool is_closer = closest ? distance < distance_max : distance <= distance_max;
        if (is_closer) {
            closest = word;
            distance_max = distance;
        }
    }
    return closest;
}

}  // namespace latmon
