// SPDX-License-Identifier: Apache-2.0
//
// See report.hpp.
#include "loadgen/report.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

namespace latmon::loadgen {
namespace {

// RFC 8259 section 7.
std::string in_json(std::string_view text) {
    std::string quoted = "\"";
    for (const char letter : text) {
        if (static_cast<unsigned char>(letter) < 0x20) {
            quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(letter));
            continue;
        }
        if (letter == '"' || letter == '\\') quoted += '\\';
        quoted += letter;
    }
    return quoted + '"';
}

}  // namespace

void Report::add(std::string_view name, std::string_view text) {
    figures_.push_back({std::string(name), in_json(text)});
}

void Report::add(std::string_view name, std::uint64_t count) {
    figures_.push_back({std::string(name), fmt::format("{}", count)});
}

void Report::add(std::string_view name, double number) {
    figures_.push_back(
        {std::string(name), std::isfinite(number) ? fmt::format("{:.3f}", number) : "null"});
}

void Report::add(std::string_view name, const std::vector<std::string>& texts) {
    std::vector<std::string> quoted;
    std::ranges::transform(texts, std::back_inserter(quoted), in_json);
    figures_.push_back({std::string(name), fmt::format("[{}]", fmt::join(quoted, ", "))});
}

void Report::add(std::string_view name, const std::vector<std::uint32_t>& numbers) {
    figures_.push_back({std::string(name), fmt::format("[{}]", fmt::join(numbers, ", "))});
}

void Report::add_none(std::string_view name) {
    figures_.push_back({std::string(name), "null"});
}

void Report::add_truth(std::string_view name, bool truth) {
    figures_.push_back({std::string(name), truth ? "true" : "false"});
}

void Report::add(std::string_view name, std::optional<Duration> value) {
    figures_.push_back({std::string(name), value ? fmt::format("{}", value->ns) : "null"});
}

void Report::add(std::string_view name, const Histogram& values) {
    static constexpr std::array<std::pair<std::string_view, double>, 4> percentiles{
        {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99_9", 99.9}}};
    add(fmt::format("{}_min_ns", name), values.min());
    for (const auto& [suffix, percent] : percentiles) {
        add(fmt::format("{}_{}_ns", name, suffix), values.percentile(percent));
    }
    add(fmt::format("{}_max_ns", name), values.max());
}

std::string Report::as_text() const {
    std::size_t width = 0;
    for (const Figure& figure : figures_) {
        width = std::max(width, figure.name.size());
    }
    std::string text;
    for (const Figure& figure : figures_) {
        text += fmt::format("{:{}}  {}\n", figure.name, width, figure.value);
    }
    return text;
}

std::string Report::as_json() const {
    std::string text = "{";
    for (const Figure& figure : figures_) {
        text += fmt::format("{}{}: {}", text.size() > 1 ? ", " : "", in_json(figure.name),
                            figure.value);
    }
    return text + "}\n";
}

}  // namespace latmon::loadgen
