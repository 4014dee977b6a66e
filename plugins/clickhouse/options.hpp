// SPDX-License-Identifier: Apache-2.0
//
// What an operator may write for this exporter, in the ancestor's shape and in the new one.
// docs/exporters/clickhouse.md is the manual. [main-thread & in create()]
#pragma once

#include "clickhouse/backend.hpp"
#include "push/settings.hpp"

#include <latmon/latmon.h>

#include <optional>

namespace latmon::plugins::clickhouse {

struct Options {
    Destination destination;
    push::Settings settings;
};

// nullopt after saying why in the log.
[[nodiscard]] std::optional<Options> read_options(const latmon_host_t* host,
                                                  const latmon_options_t* options);

}  // namespace latmon::plugins::clickhouse
