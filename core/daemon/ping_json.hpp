// SPDX-License-Identifier: Apache-2.0
//
// What `latmon ping --json` prints: one object for the whole run. Its keys are stable; those of
// times end in their unit. null stands for "no value": nothing was measured, or, for a percentile,
// that share of the probes did not come back. Pure.
#pragma once

#include "daemon/ping_report.hpp"

#include <string>

namespace latmon {

// Ends with a newline. The objects of single exchanges are in it unless the run was quiet.
[[nodiscard]] std::string ping_json(const PingReport& report);

}  // namespace latmon
