// SPDX-License-Identifier: Apache-2.0
//
// Which keys each table of a configuration knows. What is not listed here is a mistake, and a key
// that is listed in another table is told where it belongs. Pure data.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace latmon {

struct Section {
    std::string_view place;  // As messages say it: "in [[targets]]".
    std::span<const std::string_view> keys;
};

inline constexpr auto top_keys = std::to_array<std::string_view>(
    {"name",     "address",   "tcp_port",    "udp_port",      "stamp_port",       "interval",
     "timeout",  "size",      "max_size",    "max_lost",      "max_seq",          "max_conn",
     "rtt",      "tcp",       "udp",         "tcp_latency",   "log_level",        "log_file",
     "cores",    "precision", "plugin_path", "node_interval", "resolve_interval", "jitter",
     "source",   "interface", "dscp",        "targets",       "metrics",          "exporters",
     "reflector"});
inline constexpr auto target_keys = std::to_array<std::string_view>(
    {"host", "label", "tags", "type", "rtt", "tcp_latency", "tcp_port", "udp_port", "port", "size",
     "interval", "timeout", "max_lost", "jitter", "source", "interface", "dscp"});
inline constexpr auto exporter_keys =
    std::to_array<std::string_view>({"plugin", "path", "name", "queue_samples", "samples"});
inline constexpr auto reflector_keys = std::to_array<std::string_view>(
    {"allow", "service_source_allow", "rate_per_source", "burst_per_source", "rate_total"});

inline constexpr Section top_section{"at the top level", top_keys};
inline constexpr Section target_section{"in [[targets]]", target_keys};
inline constexpr Section exporter_section{"in [[exporters]]", exporter_keys};
inline constexpr Section reflector_section{"in [reflector]", reflector_keys};

}  // namespace latmon
