// SPDX-License-Identifier: Apache-2.0
//
// The keys of an [[exporters]] table of this plugin, as docs/exporters/prometheus.md says. Read in
// create(), on the main-thread; whether pages and series can be had is not asked here.
#pragma once

#include "prometheus/writer.hpp"

#include <latmon/host.h>

#include <optional>
#include <string>

namespace latmon::plugins::prometheus {

struct Options {
    std::string page;
    Format format;
    bool has_percentiles = false;
    unsigned scrapes_max = 0;
};

// nullopt, after saying why in the log, if they cannot be honoured. [main-thread & in create()]
[[nodiscard]] std::optional<Options> read_options(const latmon_host_t* host,
                                                  const latmon_options_t* options);

}  // namespace latmon::plugins::prometheus
