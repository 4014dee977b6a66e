// SPDX-License-Identifier: Apache-2.0
//
// Gauges and histograms without labels in Prometheus' text format 0.0.4 or in OpenMetrics 1.0.0,
// for the page of one probe. What exporters show they write themselves. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

enum class ExpositionForm : std::uint8_t { text, openmetrics };

// By the header Accept; text if it says nothing else.
[[nodiscard]] ExpositionForm choose_form(std::string_view accept);
[[nodiscard]] std::string_view content_type(ExpositionForm form) noexcept;

class Exposition {
public:
    explicit Exposition(ExpositionForm form) : form_(form) {}

    // `name` in base units, such as "probe_duration_seconds"; `help` is one line.
    void add_gauge(std::string_view name, std::string_view help, double value);
    // `values` in nanoseconds; `name` ends in "_seconds". `bounds` ascend, and are upper ones.
    void add_histogram(std::string_view name, std::string_view help,
                       std::span<const std::int64_t> bounds_ns,
                       std::span<const std::int64_t> values_ns);

    // All of it; nothing can be added afterwards.
    [[nodiscard]] std::string finish();

private:
    void add_head(std::string_view name, std::string_view help, std::string_view type);

    ExpositionForm form_;
    std::string text_;
};

}  // namespace latmon
