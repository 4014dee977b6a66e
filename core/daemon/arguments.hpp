// SPDX-License-Identifier: Apache-2.0
//
// The command line: the ancestor's flags, and latmon's own commands. CLI11 does the parsing, in
// arguments*.cpp and nowhere else. Values given on the command line override the top level of the
// file, as they did in the ancestor; a target's own values still win over both. [main-thread]
#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "config/parse.hpp"
#include "daemon/ping_options.hpp"
#include "daemon/selftest_options.hpp"

#include <string>

namespace latmon {

enum class Command : std::uint8_t {
    run,       // Measure until a signal.
    check,     // Read the file, print the plan, exit.
    doctor,    // Print what this host can do, exit.
    selftest,  // Measure this host, exit.
    ping,      // Send a few probes, sum up, exit.
    version,   // Print and exit.
    help       // Print and exit.
};

struct Arguments {
    Command command = Command::run;
    std::string config_path = "./latency.toml";
    bool is_config_explicit = false;  // Given on the command line: it must then exist.
    ConfigOverrides overrides;
    ClockSeam clock_seam;  // Hidden flags --debug-clock-offset, --debug-clock-step: tests only.
    std::uint32_t probe_receive_buffer_bytes =
        0;  // Hidden flag --debug-receive-buffer: tests only.
    PingOptions ping;
    SelftestOptions selftest;
    bool is_json = false;  // Of the doctor.
    std::string text;      // What to print, for version and help.
};

// Errors have ExitCode::usage and say which flag and why.
[[nodiscard]] Result<Arguments> parse_arguments(int argc, const char* const* argv);

}  // namespace latmon
