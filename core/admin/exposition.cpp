// SPDX-License-Identifier: Apache-2.0
//
// See exposition.hpp. Times are written as decimal seconds out of whole nanoseconds, so that no
// digit is lost or made up.
#include "admin/exposition.hpp"

#include "admin/negotiation.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

namespace latmon {
namespace {

// 1500000 is "0.0015"; whole seconds have a ".0", as OpenMetrics wants it of bounds.
std::string seconds_text(std::int64_t ns) {
    const std::uint64_t size =
        ns < 0 ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
    std::string text =
        fmt::format("{}{}.{:09}", ns < 0 ? "-" : "", size / 1'000'000'000, size % 1'000'000'000);
    const std::size_t last = text.find_last_not_of('0');
    text.resize(text[last] == '.' ? last + 2 : last + 1);
    return text;
}

std::string number_text(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    return fmt::format("{}", value);
}

}  // namespace

ExpositionForm choose_form(std::string_view accept) {
    constexpr std::array<MediaForm, 2> forms{
        {{"text/plain", "0.0.4"}, {"application/openmetrics-text", "1.0.0"}}};
    return best_form(accept, forms) == 1 ? ExpositionForm::openmetrics : ExpositionForm::text;
}

std::string_view content_type(ExpositionForm form) noexcept {
    return form == ExpositionForm::text
               ? "text/plain; version=0.0.4; charset=utf-8"
               : "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

void Exposition::add_head(std::string_view name, std::string_view help, std::string_view type) {
    const auto to = std::back_inserter(text_);
    fmt::format_to(to, "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
    const bool has_unit = form_ == ExpositionForm::openmetrics && name.ends_with("_seconds");
    if (has_unit) fmt::format_to(to, "# UNIT {} seconds\n", name);
}

void Exposition::add_gauge(std::string_view name, std::string_view help, double value) {
    add_head(name, help, "gauge");
    fmt::format_to(std::back_inserter(text_), "{} {}\n", name, number_text(value));
}

void Exposition::add_histogram(std::string_view name, std::string_view help,
                               std::span<const std::int64_t> bounds_ns,
                               std::span<const std::int64_t> values_ns) {
    add_head(name, help, "histogram");
    std::vector<std::int64_t> sorted(values_ns.begin(), values_ns.end());
    std::sort(sorted.begin(), sorted.end());
    const auto to = std::back_inserter(text_);
    for (const std::int64_t bound_ns : bounds_ns) {
        const auto end = std::upper_bound(sorted.begin(), sorted.end(), bound_ns);
        fmt::format_to(to, "{}_bucket{{le=\"{}\"}} {}\n", name, seconds_text(bound_ns),
                       end - sorted.begin());
    }
    std::int64_t sum_ns = 0;
    for (const std::int64_t value_ns : sorted)
        sum_ns += value_ns;
    fmt::format_to(to, "{0}_bucket{{le=\"+Inf\"}} {1}\n{0}_sum {2}\n{0}_count {1}\n", name,
                   sorted.size(), seconds_text(sum_ns));
}

std::string Exposition::finish() {
    if (form_ == ExpositionForm::openmetrics) text_ += "# EOF\n";
    return std::move(text_);
}

}  // namespace latmon
