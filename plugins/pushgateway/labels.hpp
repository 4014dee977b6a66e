// SPDX-License-Identifier: Apache-2.0
//
// Names and labels as Prometheus' text format 0.0.4 and the Pushgateway's paths want them, from
// names and tags that people wrote. Pure; any thread.
#pragma once

#include <latmon/host.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latmon::plugins::pushgateway {

// Labels that the series of the new shape have of themselves, or get on their way.
inline constexpr std::string_view reserved_labels[] = {"source", "target", "proto",   "direction",
                                                       "class",  "status", "core",    "instance",
                                                       "job",    "le",     "quantile"};

// `text` as a label's name, [a-zA-Z_][a-zA-Z0-9_]* and not beginning with "__": every other octet
// becomes '_', and a digit in front gets one before it. Never empty.
[[nodiscard]] std::string label_name(std::string_view text);

// One segment of a grouping key, "/instance/host" or "/instance@base64/aG9zdC9h": the latter for a
// value that is empty or holds anything but letters, digits and "-._~".
[[nodiscard]] std::string path_segment(std::string_view name, std::string_view value);

// Labels in the order in which they were first set.
class Labels {
public:
    // The last value wins. True if there was one before.
    bool set(std::string_view name, std::string_view value);
    // a="b",c="d", escaped; octets that are not UTF-8 become U+FFFD.
    [[nodiscard]] std::string text() const;

private:
    std::vector<std::pair<std::string, std::string>> labels_;
};

// Adds the series' tags, "key:value" split at the first colon; a tag without a colon gets the value
// "true". A key that is no label's name is made one, two that are the same then: the last wins; and
// one that is in `reserved` gets "tag_" in front. True if any of that was needed.
bool add_tags(Labels& labels, const latmon_series_t& series,
              std::span<const std::string_view> reserved);

}  // namespace latmon::plugins::pushgateway
