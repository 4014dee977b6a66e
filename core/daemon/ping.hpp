// SPDX-License-Identifier: Apache-2.0
//
// `latmon ping HOST`: a few probes from the command line, without a daemon and without a
// configuration, to any STAMP or TWAMP-Light reflector. The very Core of the daemon sends them, so
// that a figure is what the daemon would have measured. [main-thread]
#pragma once

#include "daemon/ping_options.hpp"

namespace latmon {

// Runs it to its end, or to SIGINT, SIGTERM or SIGHUP, which must be blocked: then what has been
// measured is still summed up. Returns the exit code as of ping(8): 0 at least one reply came, 1
// none did, 2 it could not be done, and stderr says why.
[[nodiscard]] int ping(const PingOptions& options);

}  // namespace latmon
