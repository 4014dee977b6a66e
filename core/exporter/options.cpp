// SPDX-License-Identifier: Apache-2.0
//
// Typed lookup over the option values of one [[exporters]] table. A key is complained about once,
// however often a plugin asks for it: a list of strings is read by one call per element.
#include "exporter/options.hpp"

#include "config/suggest.hpp"
#include "config/words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

namespace latmon {
namespace {

// The answer to this key comes from the shape of the file, not from a line in it.
constexpr std::string_view compatible_key = "compatible";
// latmon's own, which a plugin may see: some do something else then.
constexpr std::string_view windows_key = "windows";

bool position_before(const SourcePosition& a, const SourcePosition& b) noexcept {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
}

}  // namespace

Options::Options(const ExporterConfig& config, std::string file)
    : config_(config), file_(std::move(file)) {}

const OptionValue* Options::find(std::string_view key) {
    if (std::ranges::find(asked_, key) == asked_.end()) asked_.emplace_back(key);
    for (const auto& [name, value] : config_.options) {
        if (name == key) return &value;
    }
    return nullptr;
}

void Options::complain(const OptionValue& value, std::string_view key, std::string_view text) {
    for (const Problem& known : complaints_) {
        if (known.key == key) return;
    }
    complaints_.push_back(
        {.where = value.where, .key = std::string(key), .text = fmt::format("{} {}", key, text)});
}

const char* Options::get_string(std::string_view key, const char* fallback) {
    const OptionValue* const found = find(key);
    if (found == nullptr) return fallback;
    if (const std::string* const text = std::get_if<std::string>(&found->value)) {
        return text->c_str();
    }
    complain(*found, key, fmt::format("is not a text: write {} = \"...\"", key));
    return fallback;
}

bool Options::get_bool(std::string_view key, bool fallback) {
    const OptionValue* const found = find(key);
    if (key == compatible_key && config_.is_compatible) return true;
    if (found == nullptr) return fallback;
    if (const bool* const value = std::get_if<bool>(&found->value)) return *value;
    complain(*found, key, "is neither true nor false: write one of them, without quotes");
    return fallback;
}

std::int64_t Options::get_int(std::string_view key, std::int64_t fallback, std::int64_t min,
                              std::int64_t max) {
    const OptionValue* const found = find(key);
    if (found == nullptr) return fallback;
    const std::int64_t* const value = std::get_if<std::int64_t>(&found->value);
    if (value != nullptr && *value >= min && *value <= max) return *value;
    complain(*found, key,
             value == nullptr
                 ? fmt::format("is not a whole number: write one from {} to {}", min, max)
                 : fmt::format("= {} is out of range: write {} to {}", *value, min, max));
    return fallback;
}

double Options::get_float(std::string_view key, double fallback, double min, double max) {
    const OptionValue* const found = find(key);
    if (found == nullptr) return fallback;
    std::optional<double> value;
    if (const double* const real = std::get_if<double>(&found->value)) value = *real;
    if (const std::int64_t* const whole = std::get_if<std::int64_t>(&found->value)) {
        value = static_cast<double>(*whole);
    }
    if (value && *value >= min && *value <= max) return *value;  // False for a NaN.
    complain(*found, key,
             value ? fmt::format("= {} is out of range: write {} to {}", *value, min, max)
                   : fmt::format("is not a number: write one from {} to {}", min, max));
    return fallback;
}

const char* Options::get_window(std::uint32_t index) const noexcept {
    for (const Word<std::uint32_t>& word : window_words) {
        if ((config_.window_lengths.value_or(0) & word.meaning) == 0) continue;
        if (index-- == 0) return word.text.data();
    }
    return nullptr;
}

const char* Options::get_list_item(std::string_view key, std::uint32_t index) {
    if (key == windows_key) return get_window(index);
    const OptionValue* const found = find(key);
    if (found == nullptr) return nullptr;
    if (const OptionValue::List* const list = std::get_if<OptionValue::List>(&found->value)) {
        return index < list->size() ? (*list)[index].c_str() : nullptr;
    }
    complain(*found, key, fmt::format("is not a list of texts: write {} = [\"...\"]", key));
    return nullptr;
}

std::vector<Options::Problem> Options::unknown() const {
    std::vector<Problem> problems;
    const std::vector<std::string_view> known(asked_.begin(), asked_.end());
    for (const auto& [name, value] : config_.options) {
        if (std::ranges::find(asked_, name) != asked_.end()) continue;
        const std::optional<std::string_view> meant = closest_word(name, known);
        std::string text = fmt::format("does not know \"{}\"", name);
        if (meant) {
            text += fmt::format(": did you mean \"{}\"?", *meant);
        } else if (known.empty()) {
            text += ": its plugin has no options";
        } else {
            text += fmt::format(": its plugin's options are {}", fmt::join(known, ", "));
        }
        problems.push_back({.where = value.where, .key = name, .text = std::move(text)});
    }
    return problems;
}

std::vector<std::string> Options::lines(std::vector<Problem> problems) const {
    std::ranges::stable_sort(problems, position_before, &Problem::where);
    std::vector<std::string> result;
    result.reserve(problems.size());
    for (const Problem& problem : problems) {
        result.push_back(fmt::format("{}:{}:{}: exporter {}: {}", file_, problem.where.line,
                                     problem.where.column, config_.name, problem.text));
    }
    return result;
}

OptionReport Options::report() const {
    return {.errors = lines(complaints_), .warnings = {}};
}

OptionReport Options::report_with_unknown() const {
    if (config_.is_compatible) return {.errors = lines(complaints_), .warnings = lines(unknown())};
    std::vector<Problem> all = complaints_;
    for (Problem& problem : unknown()) {
        all.push_back(std::move(problem));
    }
    return {.errors = lines(std::move(all)), .warnings = {}};
}

}  // namespace latmon
