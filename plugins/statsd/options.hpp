// SPDX-License-Identifier: Apache-2.0
//
// What an operator writes in an exporter's table, checked: docs/exporters/statsd.md is the manual.
// In the mode "dogstatsd" what is not written may come from the variables that Datadog's own
// clients read. On the main-thread.
#pragma once

#include "statsd/naming.hpp"
#include "statsd/outlet.hpp"
#include "statsd/writer.hpp"

#include <latmon/host.h>

#include <cstdint>
#include <optional>

namespace latmon::plugins::statsd {

struct Options {
    NamingOptions naming;
    LineOptions lines;
    OutletOptions outlet;
    std::int64_t interval_ns = 0;  // Between two sendings of counts and gauges.
    bool has_nodes = false;        // latmon's own counters too.
    bool takes_windows = false;    // In place of samples: the operator asked for some.
};

// All options of the table; `usual` is the mode if none is written. nullopt, after every mistake
// was said in the log with its cure. [main-thread & in create()]
[[nodiscard]] std::optional<Options> read_options(const latmon_host_t* host,
                                                  const latmon_options_t* options, Mode usual);

}  // namespace latmon::plugins::statsd
