// SPDX-License-Identifier: Apache-2.0
//
// What a probe's packets are.
#include "config/plan_packet.hpp"

#include "config/probe_size.hpp"

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

}  // namespace

std::int32_t KeyFiles::index_of(const std::string& path) {
    if (path.empty()) return -1;
    const auto [entry, is_new] =
        indices_.try_emplace(path, static_cast<std::int32_t>(files_.size()));
    if (is_new) files_.push_back(path);
    return entry->second;
}

void plan_packet(const Config& config, const TargetConfig& target, KeyFiles& key_files,
                 ProbePlan& probe) {
    probe.drift_ppb = config.clock.drift_ppb;
    if (probe.kind == ProbeKind::tcp_connect) return;
    ProbeShape shape = shape_of(target);
    if (probe.kind == ProbeKind::tcp) shape.protocol = ProbeProtocol::stamp;
    const bool is_stamp = shape.protocol == ProbeProtocol::stamp;
    probe.size_bytes = target.size_bytes == 0 ? probe_bytes_needed(shape)
                                              : std::max(target.size_bytes, probe_bytes_min(shape));
    if (!is_stamp) probe.ssid = 0;
    probe.protocol = shape.protocol;
    probe.timestamp_format = target.timestamp_format;
    probe.tlvs = tlvs_within(shape, probe.size_bytes);
    if (is_stamp) probe.key_index = key_files.index_of(target.key_file);
    probe.trust_clock = target.trust_clock;
    probe.lenient_echo = target.lenient_echo;
    probe.sends_descriptor = is_stamp && target.descriptor;
    if (probe.sends_descriptor) {
        probe.node_name = config.name;
        probe.tags = target.tags;
    }
    probe.reflector_mode = target.reflector_mode;
    probe.on_ssid_zero = target.on_ssid_zero;
    probe.waits_for_follow_up = waits_for_follow_up(probe);
    probe.clock_report_interval = clock_report_interval(config, probe.interval);
}

}  // namespace latmon
