// SPDX-License-Identifier: Apache-2.0
//
// See legacy.hpp. Which status counts as lost stands in fate_of(), once.
#include "support/legacy.hpp"

#include "support/json.hpp"

#include <algorithm>

namespace latmon::plugins {
namespace {

enum class Fate : std::uint8_t { answered, lost, unspoken };

Fate fate_of(std::uint8_t status) noexcept {
    switch (status) {
        case LATMON_STATUS_OK:
        case LATMON_STATUS_REORDERED:
            return Fate::answered;
        case LATMON_STATUS_LOST:
        case LATMON_STATUS_LOST_FORWARD:
        case LATMON_STATUS_LOST_REVERSE:
        case LATMON_STATUS_LOST_LOCAL_TX:
        case LATMON_STATUS_LOST_LOCAL_RX:
        case LATMON_STATUS_LOCAL_ERROR:
        case LATMON_STATUS_UNREACHABLE:
            return Fate::lost;
        default:  // Extra replies; their probes have a sample of their own.
            return Fate::unspoken;
    }
}

bool has(const latmon_sample_t& sample, std::uint32_t bits) noexcept {
    return (sample.valid & bits) == bits;
}

std::optional<LegacyPoint> exchange_point(const latmon_sample_t& sample,
                                          const latmon_series_t& series) {
    if ((series.flags & LATMON_SERIES_NO_RTT) != 0) return std::nullopt;
    LegacyPoint point{
        .metric = sample.protocol == LATMON_PROTOCOL_TCP ? "tcp.wan.rtt" : "udp.wan.rtt",
        .time_ns = sample.time_ns,
        .value_ns = 0};
    const Fate fate = fate_of(sample.status);
    if (fate == Fate::lost) return point;
    if (fate == Fate::unspoken || !has(sample, LATMON_HAS_RTT_USER)) return std::nullopt;
    point.value_ns = std::max<std::int64_t>(sample.rtt_user_ns, 0);
    return point;
}

std::optional<LegacyPoint> connect_point(const latmon_sample_t& sample) {
    LegacyPoint point{.metric = "tcp.wan.latency", .time_ns = sample.time_ns, .value_ns = 0};
    if (has(sample, LATMON_HAS_SCHEDULE)) {
        point.time_ns = sample.scheduled_ns + sample.lateness_ns;
    }
    const Fate fate = fate_of(sample.status);
    if (fate == Fate::lost) return point;
    if (fate == Fate::unspoken || !has(sample, LATMON_HAS_RTT)) return std::nullopt;
    point.value_ns = std::max<std::int64_t>(sample.rtt_ns, 0);
    return point;
}

std::optional<LegacyPoint> reflection_point(const latmon_sample_t& sample) {
    if (!has(sample, LATMON_HAS_T1 | LATMON_HAS_T2 | LATMON_HAS_PEER)) return std::nullopt;
    std::int64_t owd_ns = 0;
    // The far end's stamp may be anything, and so may the difference.
    if (__builtin_sub_overflow(sample.t2_ns, sample.t1_ns, &owd_ns)) owd_ns = 0;
    return LegacyPoint{
        .metric = sample.protocol == LATMON_PROTOCOL_TCP ? "tcp.wan.owd" : "udp.wan.owd",
        .time_ns = sample.time_ns,
        .value_ns = std::max<std::int64_t>(owd_ns, 0)};
}

void append_tag(std::string& out, std::string_view key, std::string_view value) {
    append_json_string(out, std::string(key).append(value));
}

}  // namespace

LegacyEnds::LegacyEnds(const latmon_sample_t& sample, const latmon_series_t& series)
    : series_(series) {
    const bool is_named = (series.flags & LATMON_SERIES_PEER) != 0;
    if (sample.kind == LATMON_KIND_REFLECTION && !is_named) {
        address_ = address_text(sample.peer_address);
    }
}

std::optional<LegacyPoint> legacy_point(const latmon_sample_t& sample,
                                        const latmon_series_t& series) {
    switch (sample.kind) {
        case LATMON_KIND_EXCHANGE:
            return exchange_point(sample, series);
        case LATMON_KIND_CONNECT:
            return connect_point(sample);
        case LATMON_KIND_REFLECTION:
            return reflection_point(sample);
        default:
            return std::nullopt;
    }
}

bool append_legacy_sample(std::string& out, const latmon_sample_t& sample,
                          const latmon_series_t& series) {
    const std::optional<LegacyPoint> point = legacy_point(sample, series);
    if (!point) return false;
    out += "{\"metric\": \"";
    out += point->metric;
    out += "\", \"points\": [[";
    append_integer(out, point->time_ns);
    out += ", ";
    append_integer(out, point->value_ns);
    out += "]], \"tags\": [";
    const LegacyEnds ends(sample, series);
    append_tag(out, "source:", ends.source());
    out += ", ";
    append_tag(out, "target:", ends.target());
    for (std::uint32_t index = 0; index < series.tags_count; ++index) {
        out += ", ";
        append_json_string(out, series.tags[index]);
    }
    out += "]}";
    return true;
}

}  // namespace latmon::plugins
