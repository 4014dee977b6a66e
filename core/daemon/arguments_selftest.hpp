// SPDX-License-Identifier: Apache-2.0
//
// The flags of `latmon selftest`, as CLI11 fills them in and as they are checked. Included by
// arguments*.cpp alone. [main-thread]
#pragma once

#include "base/error.hpp"
#include "daemon/arguments_checks.hpp"
#include "daemon/selftest_options.hpp"

#include <string>

namespace latmon {

// What CLI11 writes to; must outlive the parsing.
struct SelftestFlags {
    CLI::App* command = nullptr;
    SelftestOptions options;
    std::string path;
    std::string cpus;
    double seconds = 0;
};

// Adds the command to `app`.
void add_selftest(CLI::App& app, SelftestFlags& to);

// After parsing: the options, or what is wrong with them, without "see --help".
[[nodiscard]] Result<SelftestOptions> finish_selftest(const SelftestFlags& from);

}  // namespace latmon
