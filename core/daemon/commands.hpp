// SPDX-License-Identifier: Apache-2.0
//
// The steps of main(): reading the configuration, `latmon check`, printing, ending with an error.
// [main-thread]
#pragma once

#include "base/error.hpp"
#include "config/plan.hpp"
#include "daemon/arguments.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace latmon {

// Prints the error to stderr, each line marked.
void print_error(const Error& error);

// The same, and ends the process with the error's exit code.
[[noreturn]] void exit_with(const Error& error);

// The value, or the end of the process.
template <typename T>
[[nodiscard]] T or_exit(Result<T> result) {
    if (!result) exit_with(result.error());
    return std::move(*result);
}

// Prints `text` to stdout; returns the exit code.
[[nodiscard]] int print(const std::string& text);

// The file that the arguments name. A default file that is not there is no error, as it was none in
// the ancestor: latmon then reflects, and says so.
[[nodiscard]] Result<Config> read_config(const Arguments& arguments);

// Reads that file anew, as often as it is called; that it is not there is then an error.
[[nodiscard]] std::function<Result<Config>(std::vector<std::string>& warnings)> reader_of(
    const Arguments& arguments);

// The same for commands that look at a host which may have no file yet: without one, the defaults
// and not a word about it. Warnings are appended to `warnings`.
[[nodiscard]] Result<Config> read_config_if_there(const Arguments& arguments,
                                                  std::vector<std::string>& warnings);

// `latmon check`: prints the plan, the admin listener, and warnings, among them names that do not
// resolve; or what is wrong with it, plugins that cannot be loaded included, all of it at once.
// Touches nothing but the plugins' files. Returns the exit code.
[[nodiscard]] int check(const Config& config);

void open_log(const Config& config);
void log_warnings(const std::vector<std::string>& warnings);

}  // namespace latmon
