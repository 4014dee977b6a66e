// SPDX-License-Identifier: Apache-2.0
//
// The accounts as lines of the log, in logfmt: what every probe, reflector and exporter made of
// what it got. Written when the daemon stops, so that an operator can see that nothing went
// missing. [main-thread]
#pragma once

#include "daemon/core_thread.hpp"
#include "exporter/exporter.hpp"

#include <memory>
#include <vector>

namespace latmon {

class Fleet;

// One line per probe of the core, if they are few enough to read, one with the sum of those that
// have gone, if any have, and one with the sum of all.
void log_probe_accounts(const Fleet& fleet, std::uint32_t core_index, const Core& core);

// One line per reflector, over all cores.
void log_reflector_accounts(const std::vector<std::unique_ptr<CoreThread>>& cores);

void log_exporter_accounts(const ExporterAccounts& accounts);

}  // namespace latmon
