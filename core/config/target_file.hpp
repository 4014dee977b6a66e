// SPDX-License-Identifier: Apache-2.0
//
// Targets that somebody else lists: JSON files in the form that Prometheus calls file_sd,
// `[{"targets": ["host:port", ...], "labels": {"key": "value"}}]`. What they hold is data from
// outside: bounded, and refused as a whole if any of it is wrong. [main-thread]
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

// Ten thousands of targets take some megabytes.
inline constexpr std::size_t target_file_octets_max = 16U << 20U;
inline constexpr std::size_t file_targets_max = 100'000;

struct FileTarget {
    std::string host;
    std::optional<std::uint16_t> port;  // Both of UDP and TCP.
    std::string label;                  // Of the key "__latmon_label"; "": none.
    std::vector<std::string> tags;      // "key:value", by key; without those that begin with "__".
    std::uint32_t group = 0;            // Where in the file it stands, both counted from 1.
    std::uint32_t place = 0;
};

// The key of a group's labels that is no tag, but its targets' label.
inline constexpr std::string_view file_label_key = "__latmon_label";

// "FILE: group N, target M", for messages.
[[nodiscard]] std::string place_in_file(const std::string& file, std::uint32_t group,
                                        std::uint32_t place);

// Reads `text`, which came from `file` (only for messages). Errors are one line each, with the
// cure.
[[nodiscard]] Result<std::vector<FileTarget>> parse_target_file(std::string_view text,
                                                                const std::string& file);

// The files that match `pattern`, in order: wildcards (glob(7)) may stand in its last part.
[[nodiscard]] std::vector<std::string> files_of_pattern(const std::string& pattern);

// The content of a file. Errors as parse_target_file().
[[nodiscard]] Result<std::string> read_target_file(const std::string& file);

}  // namespace latmon
