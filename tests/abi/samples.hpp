// SPDX-License-Identifier: Apache-2.0
//
// Samples and series for the tests of the plugins: one of each kind, with round numbers that can be
// told apart in what comes out.
#pragma once

#include "exporter/exporter.hpp"

#include <arpa/inet.h>
#include <string>
#include <vector>

namespace latmon::test {

// Ids of the series below.
enum : std::uint32_t { udp_id, tcp_id, connect_id, reflected_id, node_id, silent_id };

inline Series series_of(latmon_kind_t kind, latmon_protocol_t protocol, const char* target) {
    Series series;
    series.kind = kind;
    series.protocol = protocol;
    series.source = "here";
    series.target = target;
    return series;
}

inline SeriesTable series_table() {
    SeriesTable table{series_of(LATMON_KIND_EXCHANGE, LATMON_PROTOCOL_UDP, "fra-1"),
                      series_of(LATMON_KIND_EXCHANGE, LATMON_PROTOCOL_TCP, "fra-1"),
                      series_of(LATMON_KIND_CONNECT, LATMON_PROTOCOL_TCP, "web"),
                      series_of(LATMON_KIND_REFLECTION, LATMON_PROTOCOL_UDP, "here"),
                      series_of(LATMON_KIND_NODE, LATMON_PROTOCOL_NONE, ""),
                      series_of(LATMON_KIND_EXCHANGE, LATMON_PROTOCOL_UDP, "silent")};
    table[udp_id].tags = {"isp:local", "city:Zürich"};
    table[node_id].name = "samples_dropped";
    table[silent_id].flags = LATMON_SERIES_NO_RTT;
    return table;
}

inline Sample exchange(std::uint32_t series_id, latmon_status_t status = LATMON_STATUS_OK) {
    Sample sample{};
    sample.time_ns = 1'768'219'134'587'069'267;
    sample.series_id = series_id;
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.status = static_cast<std::uint8_t>(status);
    sample.protocol = series_id == tcp_id ? LATMON_PROTOCOL_TCP : LATMON_PROTOCOL_UDP;
    if (status == LATMON_STATUS_OK || status == LATMON_STATUS_REORDERED) {
        sample.valid = LATMON_HAS_RTT | LATMON_HAS_RTT_USER;
        sample.rtt_ns = 250'000;
        sample.rtt_user_ns = 282'072;
    }
    return sample;
}

inline Sample connect(latmon_status_t status = LATMON_STATUS_OK) {
    Sample sample = exchange(connect_id, status);
    sample.kind = LATMON_KIND_CONNECT;
    sample.protocol = LATMON_PROTOCOL_TCP;
    sample.valid |= LATMON_HAS_SCHEDULE;
    sample.scheduled_ns = 1'000;
    sample.lateness_ns = 7;
    return sample;
}

inline Sample reflection() {
    Sample sample{};
    sample.time_ns = 5'000;
    sample.series_id = reflected_id;
    sample.kind = LATMON_KIND_REFLECTION;
    sample.status = LATMON_STATUS_OK;
    sample.protocol = LATMON_PROTOCOL_UDP;
    sample.valid = LATMON_HAS_T1 | LATMON_HAS_T2 | LATMON_HAS_PEER;
    sample.t1_ns = 4'000;
    sample.t2_ns = 4'321;
    ::inet_pton(AF_INET6, "::ffff:192.0.2.7", sample.peer_address);
    return sample;
}

inline Sample node(std::int64_t value) {
    Sample sample{};
    sample.time_ns = 9;
    sample.series_id = node_id;
    sample.kind = LATMON_KIND_NODE;
    sample.valid = LATMON_HAS_VALUE;
    sample.value = value;
    return sample;
}

// What an [[exporters]] table with no more than the plugin's name means, and samples of every kind.
inline ExporterConfig exporter_config(const char* plugin) {
    ExporterConfig config;
    config.plugin = plugin;
    config.name = plugin;
    config.kinds = ~0U;
    return config;
}

// Adds an option, as if it stood in line 1 of the file.
template <typename Value>
void set(ExporterConfig& config, const char* key, const Value& content) {
    OptionValue& option = config.options.emplace_back(key, OptionValue{}).second;
    option.value.emplace<Value>(content);
    option.where = {.line = 1, .column = 1};
}

// Opens `config`, exports `samples` through its queue, stops and destroys it. Its last accounts.
QueueAccounts export_all(const ExporterConfig& config, const std::vector<Sample>& samples);

// Why `config` is refused. Fails the test if it is not.
std::string refusal(const ExporterConfig& config);

}  // namespace latmon::test
