// SPDX-License-Identifier: Apache-2.0
//
// The command line of loadgen. Ranges are checked here and nowhere else, so that a mode need not
// doubt its options. Main thread only; it starts nothing.
#pragma once

#include "base/error.hpp"
#include "loadgen/probe.hpp"
#include "loadgen/reflect.hpp"
#include "loadgen/targets.hpp"

#include <string>
#include <variant>

namespace latmon::loadgen {

// `--help`: only to be printed.
struct HelpText {
    std::string text;
};
using Command = std::variant<ReflectOptions, TargetsOptions, ProbeOptions, HelpText>;

// An error has ExitCode::usage.
[[nodiscard]] Result<Command> parse_arguments(int argc, const char* const* argv);

}  // namespace latmon::loadgen
