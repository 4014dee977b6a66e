// SPDX-License-Identifier: Apache-2.0
//
// loadgen: a load for one latmon. `reflect` simulates targets, `targets` prints the configuration
// that probes them, `probe` loads a latmon's reflector. Exit codes: 0 the accounts balance and
// something flowed, 1 not so or not possible, 2 usage, 78 as latmon's own for a key file.
#include "loadgen/arguments.hpp"
#include "loadgen/process.hpp"

#include <fmt/format.h>
#include <cstdlib>
#include <exception>
#include <variant>

namespace latmon::loadgen {
namespace {

Result<bool> run(const HelpText& help) {
    fmt::print("{}", help.text);
    return true;
}

Result<bool> run(const TargetsOptions& options) {
    const Result<std::string> text = targets_text(options);
    if (!text) return std::unexpected(text.error());
    fmt::print("{}", *text);
    return true;
}

Result<bool> run(const ReflectOptions& options) {
    return run_reflect(options);
}

Result<bool> run(const ProbeOptions& options) {
    return run_probe(options);
}

int main_of(int argc, const char* const* argv) {
    catch_stop_signals();
    const Result<Command> command = parse_arguments(argc, argv);
    Result<bool> result = false;
    if (command) {
        result = std::visit([](const auto& options) { return run(options); }, *command);
    } else {
        result = std::unexpected(command.error());
    }
    if (!result) {
        fmt::print(stderr, "loadgen: {}\n", result.error().text);
        return static_cast<int>(result.error().code);
    }
    return *result ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace latmon::loadgen

int main(int argc, char** argv) {
    try {
        return latmon::loadgen::main_of(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "loadgen: {}\n", error.what());
        return EXIT_FAILURE;
    }
}
