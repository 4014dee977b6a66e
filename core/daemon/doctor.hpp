// SPDX-License-Identifier: Apache-2.0
//
// `latmon doctor [FILE]`: what this host can do for a configuration, and what to mend, one verdict
// per line. It looks and sends one packet per interface; it changes nothing. [main-thread]
#pragma once

#include "daemon/arguments.hpp"

namespace latmon {

// Prints the findings; the exit code is 0 if nothing is bad, else 1.
[[nodiscard]] int doctor(const Arguments& arguments);

}  // namespace latmon
