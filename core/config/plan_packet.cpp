// SPDX-License-Identifier: Apache-2.0
//
// What a probe's packets are.
#include "config/plan_packet.hpp"

#include "config/mistakes.hpp"
#include "config/probe_size.hpp"

#include <fmt/format.h>
#include <algorithm>

namespace latmon {
namespace {

// A follow-up comes with the next reply. Longer than this nobody waits for a sample that is
// otherwise complete; its T3 is then as the reflector first said.
constexpr Duration follow_up_interval_max = Duration::from_s(2);

// A stateless reflector has nothing to follow up with: it must zero the TLV (RFC 8972 section 4.7).
bool waits_for_follow_up(const ProbePlan& probe) noexcept {
    return (probe.tlvs & tlv_follow_up_bit) != 0 && probe.interval <= follow_up_interval_max &&
           probe.reflector_mode != ReflectorMode::stateless;
}

// As often as the node looks at its own counters, but not between two probes.
Duration clock_report_interval(const Config& config, Duration interval) noexcept {
    if (!config.clock.has_series || config.node_interval == Duration{}) return {};
    return std::max(config.node_interval, interval);
}

// What the probe speaks. The ancestor's format has no authentication, and no packets without a
// name: who wants the one or has forbidden the other gets STAMP, and nothing else in its place.
ProbeProtocol protocol_of(const TargetConfig& target, ProbeKind kind) noexcept {
    const bool is_automatic = target.protocol == ProbeProtocol::automatic;
    if (is_automatic && (!target.key_file.empty() || !target.descriptor)) {
        return ProbeProtocol::stamp;
    }
    const bool is_light = target.protocol == ProbeProtocol::twamp_light;
    return is_light && kind == ProbeKind::tcp ? ProbeProtocol::stamp : target.protocol;
}

// The ancestor's shape of a file: its nodes are likely to be in the same network.
bool is_compatible(const Config& config) noexcept {
    return !config.exporters.empty() && config.exporters.front().is_compatible;
}

}  // namespace

std::int32_t KeyFiles::index_of(const std::string& path) {
    if (path.empty()) return -1;
    const auto [entry, is_new] =
        indices_.try_emplace(path, static_cast<std::int32_t>(files_.size()));
    if (is_new) files_.push_back(path);
    return entry->second;
}

std::string packet_warning(const TargetConfig& target) {
    const Duration longest = target.interval * limits::ancestor_in_flight_max;
    const bool is_bound = target.udp && target.protocol == ProbeProtocol::ancestor;
    if (!is_bound || target.timeout <= longest) return "";
    return fmt::format(
        "target {}: UDP probes are given up after {} s and not after {} s, for \"latency-monitor\" "
        "has numbers for {} at a time; write a longer interval or that timeout",
        in_quotes(target.host), static_cast<double>(longest.ns) / 1e9,
        static_cast<double>(target.timeout.ns) / 1e9, limits::ancestor_in_flight_max);
}

void plan_packet(const Config& config, const TargetConfig& target, KeyFiles& key_files,
                 ProbePlan& probe) {
    probe.drift_ppb = config.clock.drift_ppb;
    if (probe.kind == ProbeKind::tcp_connect) return;
    ProbeShape shape = shape_of(target);
    shape.protocol = protocol_of(target, probe.kind);
    const bool is_stamp = speaks_stamp(shape.protocol);
    probe.size_bytes = target.size_bytes == 0 ? probe_bytes_needed(shape)
                                              : std::max(target.size_bytes, probe_bytes_min(shape));
    if (!is_stamp) probe.ssid = 0;
    probe.protocol = shape.protocol;
    probe.is_ancestor_first = probe.protocol == ProbeProtocol::automatic && is_compatible(config);
    probe.timestamp_format = target.timestamp_format;
    probe.tlvs = tlvs_within(shape, probe.size_bytes);
    if (is_stamp) probe.key_index = key_files.index_of(target.key_file);
    probe.trust_clock = target.trust_clock;
    probe.lenient_echo = target.lenient_echo;
    probe.sends_descriptor = is_stamp && target.descriptor;
    if (probe.sends_descriptor || speaks_ancestor(probe.protocol)) {
        probe.node_name = config.name;
        probe.tags = target.tags;
    }
    probe.reflector_mode = target.reflector_mode;
    probe.on_ssid_zero = target.on_ssid_zero;
    probe.waits_for_follow_up = waits_for_follow_up(probe);
    probe.clock_report_interval = clock_report_interval(config, probe.interval);
}

}  // namespace latmon
