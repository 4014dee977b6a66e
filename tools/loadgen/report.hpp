// SPDX-License-Identifier: Apache-2.0
//
// What a run comes to: names with their units and values, printed for a reader or as one JSON
// object. Both show every figure under the same name, and a figure that there is none of is null,
// not 0. Main thread only.
#pragma once

#include "loadgen/histogram.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace latmon::loadgen {

class Report {
public:
    void add(std::string_view name, std::string_view text);
    void add(std::string_view name, std::uint64_t count);
    void add(std::string_view name, double number);  // Three decimals; not finite: null.
    void add(std::string_view name, const std::vector<std::string>& texts);
    void add(std::string_view name, const std::vector<std::uint32_t>& numbers);
    void add_none(std::string_view name);
    void add_truth(std::string_view name, bool truth);
    void add(std::string_view name, std::optional<Duration> value);

    // NAME_min_ns, NAME_p50_ns, p90, p99, p99_9 and max.
    void add(std::string_view name, const Histogram& values);

    [[nodiscard]] std::string as_text() const;  // A figure per line.
    [[nodiscard]] std::string as_json() const;  // One object and a line end.

private:
    struct Figure {
        std::string name;
        std::string value;  // As JSON has it.
    };
    std::vector<Figure> figures_;
};

}  // namespace latmon::loadgen
