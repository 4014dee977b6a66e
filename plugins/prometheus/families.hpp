// SPDX-License-Identifier: Apache-2.0
//
// Which families there are, their names, types and help, and which rows each has. Whoever renames
// one breaks dashboards: docs/exporters/prometheus.md lists them. Pure but for process_families().
#pragma once

#include "prometheus/store.hpp"
#include "prometheus/writer.hpp"

#include <string_view>

namespace latmon::plugins::prometheus {

struct Content {
    std::string_view version;  // latmon's.
    bool has_percentiles = false;
};

// All of it, to the writer's end. [any-thread]
void write_families(Writer& writer, const Store::Snapshot& snapshot, const Content& content);

// What the kernel says of this process, by the names that client libraries have for it.
void process_families(Writer& writer);

}  // namespace latmon::plugins::prometheus
