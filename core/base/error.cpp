// SPDX-License-Identifier: Apache-2.0
//
// Builds the error values of error.hpp. Allocates: not for a core-thread after start.
#include "base/error.hpp"

#include <system_error>

namespace latmon {

std::unexpected<Error> fail(ExitCode code, std::string text) {
    return std::unexpected(Error{code, std::move(text)});
}

std::unexpected<Error> fail_errno(ExitCode code, std::string text, int error_number) {
    text += " [";
    text += std::generic_category().message(error_number);
    text += "]";
    return fail(code, std::move(text));
}

}  // namespace latmon
