// SPDX-License-Identifier: Apache-2.0
//
// The flags of `latmon ping`, which are those of ping(8) as far as they mean the same. Included by
// arguments*.cpp alone. [main-thread]
#pragma once

#include "base/error.hpp"
#include "daemon/arguments_checks.hpp"
#include "daemon/ping_options.hpp"

#include <string>

namespace latmon {

// What CLI11 writes to; must outlive the parsing.
struct PingFlags {
    CLI::App* command = nullptr;
    PingOptions options;
    std::string host;
    std::string stamps;
    std::string precision;
    std::string timestamp_format;
    double interval_ms = 0;
    double timeout_s = 0;
    std::uint32_t dscp = 0;
    bool is_twamp_light = false;
    bool is_ipv4 = false;
    bool is_ipv6 = false;
};

// Adds the command to `app`.
void add_ping(CLI::App& app, PingFlags& to);

// After parsing: the options, or what is wrong with them, without "see --help".
[[nodiscard]] Result<PingOptions> finish_ping(const PingFlags& from);

}  // namespace latmon
