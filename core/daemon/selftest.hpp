// SPDX-License-Identifier: Apache-2.0
//
// `latmon selftest [FILE]`: measures this very host, over loopback, in a few seconds: stamps,
// lateness by precision, what is added to a figure, how many probes a core sends; and says in plain
// words what its figures are worth. It changes nothing, and no packet leaves the host but those
// that prove the stamps of interfaces that a configuration uses. [main-thread]
#pragma once

#include "daemon/arguments.hpp"

namespace latmon {

// Prints the report; the exit code is 0, 1 if a figure of this host would mislead, or that of the
// error which kept it from running.
[[nodiscard]] int selftest(const Arguments& arguments);

}  // namespace latmon
