// SPDX-License-Identifier: Apache-2.0
//
// See series.hpp.
#include "daemon/series.hpp"

#include "daemon/node_counters.hpp"

#include <algorithm>
#include <span>

namespace latmon {
namespace {

Series probe_series(const SeriesRegistry& registry, const TargetConfig& target,
                    const ProbePlan& probe) {
    Series series;
    series.kind = probe.kind == ProbeKind::tcp_connect ? LATMON_KIND_CONNECT : LATMON_KIND_EXCHANGE;
    series.protocol = probe.kind == ProbeKind::udp ? LATMON_PROTOCOL_UDP : LATMON_PROTOCOL_TCP;
    series.source = registry.node_name();
    series.target = target.label.empty() ? target.host : target.label;
    series.host = target.host;
    series.tags = target.tags;
    series.port = probe.port;
    series.interval = probe.interval;
    series.timeout = probe.timeout;
    series.flags = probe.wants_rtt ? 0 : LATMON_SERIES_NO_RTT;
    // Of exchanges: who makes promises of handshakes has not asked for it.
    if (series.kind == LATMON_KIND_EXCHANGE && target.objective) {
        series.objective_ratio = target.objective->ratio;
        series.objective_rtt = target.objective->rtt;
    }
    return series;
}

std::uint32_t add_reflection(SeriesRegistry& registry, latmon_protocol_t protocol) {
    Series series;
    series.kind = LATMON_KIND_REFLECTION;
    series.protocol = protocol;
    series.source = registry.node_name();
    series.target = registry.node_name();
    const SeriesGroup group = registry.add(series);
    registry.begin(group);
    return group.first_id;
}

// Counters of the node, about `target`.
SeriesGroup add_node_series(SeriesRegistry& registry, const std::string& target,
                            std::span<const std::string_view> names) {
    Series series;
    series.kind = LATMON_KIND_NODE;
    series.name = names.front();
    series.source = registry.node_name();
    series.target = target;
    return registry.add(series, names.subspan(1));
}

std::uint32_t begin_node_series(SeriesRegistry& registry, const std::string& target,
                                std::span<const std::string_view> names) {
    const SeriesGroup group = add_node_series(registry, target, names);
    registry.begin(group);
    return group.first_id;
}

}  // namespace

SeriesGroup add_probe_series(SeriesRegistry& registry, const TargetConfig& target,
                             const ProbePlan& probe, bool has_clock) {
    const bool reads_clock = has_clock && probe.kind != ProbeKind::tcp_connect;
    return registry.add(
        probe_series(registry, target, probe),
        std::span(clock_series_names).first(reads_clock ? clock_series_per_probe : 0));
}

CoreSeries add_core_series(SeriesRegistry& registry) {
    CoreSeries series;
    series.udp_reflection = add_reflection(registry, LATMON_PROTOCOL_UDP);
    series.tcp_reflection = add_reflection(registry, LATMON_PROTOCOL_TCP);
    const std::vector<std::string> names = node_counter_names();
    const std::vector<std::string_view> views(names.begin(), names.end());
    series.node = begin_node_series(registry, "", views);
    return series;
}

std::uint32_t add_interface_series(SeriesRegistry& registry, const std::string& interface) {
    return begin_node_series(registry, interface, interface_series_names);
}

std::uint32_t add_figure_series(SeriesRegistry& registry, std::span<const std::string_view> names) {
    return begin_node_series(registry, "", names);
}

SeriesGroup add_queue_series(SeriesRegistry& registry, const std::string& exporter) {
    std::array<std::string_view, queue_counter_names.size()> names;
    std::ranges::transform(queue_counter_names, names.begin(), &QueueCounterName::name);
    return add_node_series(registry, exporter, names);
}

}  // namespace latmon
