// SPDX-License-Identifier: Apache-2.0
//
// What goes wrong while latmon is set up: one line that says what failed and what to do about it,
// and the exit code that belongs to it. Used on the main-thread and during a core-thread's set-up;
// after start a core-thread has no errors, it has samples and counters.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace latmon {

// The process's exit codes; 77 and 78 are EX_NOPERM and EX_CONFIG of sysexits.h.
enum class ExitCode : std::uint8_t {
    ok = 0,
    failure = 1,        // Something failed at run time.
    usage = 2,          // The command line makes no sense.
    permission = 77,    // The kernel, a limit or a port refuses us.
    configuration = 78  // The configuration makes no sense.
};

struct Error {
    ExitCode code = ExitCode::failure;
    std::string text;  // One line (several for a configuration): what failed, then the cure.
};

template <typename T>
using Result = std::expected<T, Error>;

// Makes an unexpected Error to return from a function with a Result. [main-thread, set-up]
[[nodiscard]] std::unexpected<Error> fail(ExitCode code, std::string text);

// As fail(), with the meaning of `error_number` (an errno value, positive) appended in brackets.
[[nodiscard]] std::unexpected<Error> fail_errno(ExitCode code, std::string text, int error_number);

}  // namespace latmon
