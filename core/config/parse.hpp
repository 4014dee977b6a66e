// SPDX-License-Identifier: Apache-2.0
//
// TOML text to Config. Two shapes of file are understood, and may be mixed but for the exporters:
// the ancestor's (`[metrics] backend = "..."`) and the new one (`[[exporters]]`). Every mistake in
// a file is reported, not just the first. The only file that knows toml++ is parse.cpp.
// [main-thread]
#pragma once

#include "base/error.hpp"
#include "config/config.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace latmon {

// Values from the command line; each replaces the file's top-level value if set.
struct ConfigOverrides {
    std::optional<std::string> name;
    std::optional<std::string> metrics_backend;  // As [metrics] backend; the ancestor's -m.
    std::optional<LogLevel> log_level;
    std::optional<std::string> log_file;
    std::optional<bool> rtt;
    std::optional<bool> tcp;
    std::optional<bool> udp;
    std::optional<bool> tcp_latency;
    std::optional<std::uint16_t> tcp_port;
    std::optional<std::uint16_t> udp_port;
    std::optional<std::uint32_t> max_size_bytes;
    std::optional<std::uint32_t> max_lost;
    std::optional<double> timeout_s;
    std::optional<double> interval_ms;
};

// Reads `text`, which came from `file` (only for messages). Defaults are filled in, targets have
// inherited. Errors have ExitCode::configuration; their text is one line per mistake,
// `file:line:column: what, and what to write instead`, in the file's order. Warnings, in the same
// form, are appended to `warnings`.
[[nodiscard]] Result<Config> parse_config(std::string_view text, const std::string& file,
                                          const ConfigOverrides& overrides,
                                          std::vector<std::string>& warnings);

// The same for a file on disk. A file that is not there is an error with ExitCode::configuration.
[[nodiscard]] Result<Config> load_config(const std::string& path, const ConfigOverrides& overrides,
                                         std::vector<std::string>& warnings);

// The host's name, which is a node's default name.
[[nodiscard]] std::string host_name();

}  // namespace latmon
