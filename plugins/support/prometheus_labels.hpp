// SPDX-License-Identifier: Apache-2.0
//
// Names and labels as Prometheus' formats want them, from names and tags that people wrote, and the
// names that latmon's own counters have there. Shared by every plugin that speaks to Prometheus, so
// that one thing has one name. Pure; any thread.
#pragma once

#include <latmon/host.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latmon::plugins {

// `text` as a label's name, [a-zA-Z_][a-zA-Z0-9_]* and not beginning with "__": every other octet
// becomes '_', and a digit in front gets one before it. Never empty.
[[nodiscard]] std::string label_name(std::string_view text);

// `text` with U+FFFD in place of each octet that is not UTF-8.
[[nodiscard]] std::string well_formed(std::string_view text);

// Labels in the order in which they were first set.
class Labels {
public:
    // The last value wins. True if there was one before.
    bool set(std::string_view name, std::string_view value);
    // a="b",c="d", escaped; octets that are not UTF-8 become U+FFFD.
    [[nodiscard]] std::string text() const;
    // As set.
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& items() const noexcept {
        return labels_;
    }

private:
    std::vector<std::pair<std::string, std::string>> labels_;
};

// One tag as a label: "key:value" split at the first colon, "true" where there is none; the key
// made a label's name, with "tag_" in front if it is in `reserved`.
struct TagLabel {
    std::string name;
    std::string_view value;   // Part of the tag, or static.
    bool is_renamed = false;  // The name is not the key as written.
};
[[nodiscard]] TagLabel tag_label(std::string_view tag, std::span<const std::string_view> reserved);

// Adds the series' tags. Of two keys that are the same as labels the last wins. True if a key had
// to be changed, or a tag lost.
bool add_tags(Labels& labels, const latmon_series_t& series,
              std::span<const std::string_view> reserved);

// "udp", "tcp" or "tcp_connect": a handshake and the exchanges over TCP to one target are two
// things.
[[nodiscard]] std::string_view proto_word(const latmon_series_t& series) noexcept;

// How a series of KIND_NODE is told.
struct NodeMetric {
    std::string name;          // In base units, the unit last, "_total" behind it of a counter.
    unsigned digits = 0;       // The value is in 10^-digits of the unit in the name.
    bool is_counter = false;   // Else a gauge.
    std::string target_label;  // What the series' target is there: "exporter", "interface", ...
};
[[nodiscard]] NodeMetric node_metric(const latmon_series_t& series);

}  // namespace latmon::plugins
