// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing lists of CPU numbers.
#include "config/cpu_list.hpp"

#include "base/limits.hpp"
#include "config/ranges.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <charconv>

namespace latmon {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && text.front() == ' ') {
        text.remove_prefix(1);
    }
    while (!text.empty() && text.back() == ' ') {
        text.remove_suffix(1);
    }
    return text;
}

std::optional<std::uint32_t> parse_cpu(std::string_view text) noexcept {
    const std::string_view digits = trimmed(text);
    std::uint32_t cpu = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), cpu);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    if (!contains(cpu_range, cpu)) return std::nullopt;
    return cpu;
}

// Appends one number or one range of numbers.
bool append_part(std::string_view part, std::vector<std::uint32_t>& cpus) {
    const std::size_t dash = part.find('-');
    const std::optional<std::uint32_t> first = parse_cpu(part.substr(0, dash));
    const std::optional<std::uint32_t> last =
        dash == std::string_view::npos ? first : parse_cpu(part.substr(dash + 1));
    if (!first || !last || *last < *first) return false;
    for (std::uint32_t cpu = *first; cpu <= *last; ++cpu) {
        if (std::find(cpus.begin(), cpus.end(), cpu) != cpus.end()) return false;
        cpus.push_back(cpu);
        if (cpus.size() > limits::cores_max) return false;
    }
    return true;
}

}  // namespace

std::optional<std::vector<std::uint32_t>> parse_cpu_list(std::string_view text) {
    std::vector<std::uint32_t> cpus;
    while (true) {
        const std::size_t comma = text.find(',');
        if (!append_part(text.substr(0, comma), cpus)) return std::nullopt;
        if (comma == std::string_view::npos) return cpus;
        text.remove_prefix(comma + 1);
    }
}

std::string format_cpu_list(std::span<const std::uint32_t> cpus) {
    std::string text;
    for (std::size_t first = 0; first < cpus.size();) {
        std::size_t last = first;
        while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) {
            ++last;
        }
        if (!text.empty()) text += ',';
        text += first == last ? fmt::format("{}", cpus[first])
                              : fmt::format("{}-{}", cpus[first], cpus[last]);
        first = last + 1;
    }
    return text;
}

}  // namespace latmon
