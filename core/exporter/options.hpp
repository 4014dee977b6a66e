// SPDX-License-Identifier: Apache-2.0
//
// What an operator wrote for a plugin, looked up by type. A plugin asks and gets a usable value,
// always; what was wrong with the operator's is collected here, so that all mistakes in a table are
// reported at once and a plugin need not check. Knows the keys that were asked for, and so the ones
// that nobody wants. Not thread-safe. [main-thread]
#pragma once

#include "config/config.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

// Lines `file:line:column: exporter NAME: what, and what to write instead`, in the file's order.
struct OptionReport {
    std::vector<std::string> errors;
    std::vector<std::string> warnings;
};

class Options {
public:
    // `config` must outlive it: strings are handed out, not copied. `file` is for messages.
    Options(const ExporterConfig& config, std::string file);

    // Each as the function of the same name in latmon/host.h, and with its errors.
    [[nodiscard]] const char* get_string(std::string_view key, const char* fallback);
    [[nodiscard]] bool get_bool(std::string_view key, bool fallback);
    [[nodiscard]] std::int64_t get_int(std::string_view key, std::int64_t fallback,
                                       std::int64_t min, std::int64_t max);
    [[nodiscard]] double get_float(std::string_view key, double fallback, double min, double max);
    [[nodiscard]] const char* get_list_item(std::string_view key, std::uint32_t index);

    // Wrong types and ranges so far. For a create() that failed: it may not have asked for all
    // keys.
    [[nodiscard]] OptionReport report() const;

    // The same and the keys that nobody asked for: errors, but warnings in the ancestor's shape,
    // whose backends ignored what they did not know.
    [[nodiscard]] OptionReport report_with_unknown() const;

private:
    struct Problem {
        SourcePosition where;
        std::string key;
        std::string text;
    };

    const OptionValue* find(std::string_view key);
    // The lengths of windows that the operator asked for, in ascending order.
    [[nodiscard]] const char* get_window(std::uint32_t index) const noexcept;
    void complain(const OptionValue& value, std::string_view key, std::string_view text);
    [[nodiscard]] std::vector<Problem> unknown() const;
    [[nodiscard]] std::vector<std::string> lines(std::vector<Problem> problems) const;

    const ExporterConfig& config_;
    std::string file_;
    std::vector<std::string> asked_;   // Each key once, in the order of first asking.
    std::vector<Problem> complaints_;  // At most one per key.
};

}  // namespace latmon
