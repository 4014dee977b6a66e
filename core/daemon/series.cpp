// SPDX-License-Identifier: Apache-2.0
//
// See series.hpp.
#include "daemon/series.hpp"

#include "base/assert.hpp"
#include "daemon/core.hpp"
#include "daemon/node_counters.hpp"

namespace latmon {
namespace {

Series probe_series(const Plan& plan, const ProbePlan& probe) {
    const TargetConfig& target = plan.targets[probe.target_index];
    Series series;
    series.kind = probe.kind == ProbeKind::tcp_connect ? LATMON_KIND_CONNECT : LATMON_KIND_EXCHANGE;
    series.protocol = probe.kind == ProbeKind::udp ? LATMON_PROTOCOL_UDP : LATMON_PROTOCOL_TCP;
    series.source = plan.name;
    series.target = target.label.empty() ? target.host : target.label;
    series.host = target.host;
    series.tags = target.tags;
    series.port = probe.port;
    series.interval = probe.interval;
    series.timeout = probe.timeout;
    series.flags = probe.wants_rtt ? 0 : LATMON_SERIES_NO_RTT;
    return series;
}

Series reflection_series(const Plan& plan, latmon_protocol_t protocol) {
    Series series;
    series.kind = LATMON_KIND_REFLECTION;
    series.protocol = protocol;
    series.source = plan.name;
    series.target = plan.name;
    return series;
}

// In the order of clock_series_names, for each probe.
void append_clock_series(const Plan& plan, SeriesTable& table) {
    for (std::uint32_t probe = 0; probe < plan.probe_count; ++probe) {
        for (const std::string_view name : clock_series_names) {
            Series series = table[probe];
            series.kind = LATMON_KIND_NODE;
            series.name = name;
            table.push_back(std::move(series));
        }
    }
}

}  // namespace

SeriesTable make_series(const Plan& plan, std::span<const std::string> interfaces) {
    SeriesTable table(plan.probe_count);
    for (const CorePlan& core : plan.cores) {
        for (const ProbePlan& probe : core.probes) {
            table[probe.probe_index] = probe_series(plan, probe);
        }
    }
    LATMON_ASSERT(table.size() == udp_reflection_series(plan));
    table.push_back(reflection_series(plan, LATMON_PROTOCOL_UDP));
    table.push_back(reflection_series(plan, LATMON_PROTOCOL_TCP));
    std::vector<std::string> exporters;
    for (const ExporterConfig& exporter : plan.exporters)
        exporters.push_back(exporter.name);
    LATMON_ASSERT(table.size() == first_clock_series(plan));
    if (plan.clock.has_series) append_clock_series(plan, table);
    LATMON_ASSERT(table.size() == first_node_series(plan));
    append_node_series(table, plan.name, exporters);
    for (const std::string& interface : interfaces) {
        for (const std::string_view name : interface_series_names) {
            Series& series = table.emplace_back();
            series.kind = LATMON_KIND_NODE;
            series.name = name;
            series.source = plan.name;
            series.target = interface;
        }
    }
    return table;
}

}  // namespace latmon
