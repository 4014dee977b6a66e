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

// clang-format off
inline constexpr auto top_keys = std::to_array<std::string_view>({
    // The node.
    "name", "address", "tcp_port", "udp_port", "stamp_port", "tcp", "udp",
    "cores", "precision", "stamps", "node_interval", "resolve_interval",
    "log_level", "log_file", "plugin_path",
    // What targets inherit.
    "interval", "timeout", "jitter", "size", "max_size", "max_lost", "rtt", "tcp_latency",
    "source", "interface", "dscp",
    "protocol", "timestamp_format", "tlvs", "key_file", "trust_clock", "lenient_echo",
    "descriptor", "reflector_mode", "on_ssid_zero", "objective",
    // The ancestor's, of no effect.
    "max_seq", "max_conn",
    // Tables.
    "reflector", "clock", "stats", "admin", "targets", "target_files", "exporters", "metrics"});
inline constexpr auto target_keys = std::to_array<std::string_view>({
    "host", "label", "tags", "type", "udp_port", "tcp_port", "port",
    // As at the top level.
    "interval", "timeout", "jitter", "size", "max_lost", "rtt", "tcp_latency",
    "source", "interface", "dscp",
    "protocol", "timestamp_format", "tlvs", "key_file", "trust_clock", "lenient_echo",
    "descriptor", "reflector_mode", "on_ssid_zero", "objective"});
inline constexpr auto target_file_keys = std::to_array<std::string_view>({
    "path", "tags", "type", "udp_port", "tcp_port", "port",
    // As at the top level.
    "interval", "timeout", "jitter", "size", "max_lost", "rtt", "tcp_latency",
    "source", "interface", "dscp",
    "protocol", "timestamp_format", "tlvs", "key_file", "trust_clock", "lenient_echo",
    "descriptor", "reflector_mode", "on_ssid_zero", "objective"});
// clang-format on
inline constexpr auto exporter_keys = std::to_array<std::string_view>(
    {"plugin", "path", "name", "queue_samples", "samples", "windows"});
inline constexpr auto reflector_keys = std::to_array<std::string_view>(
    {"allow", "service_source_allow", "rate_per_source", "burst_per_source", "rate_total",
     "sessions_per_source", "mode", "ancestor", "fill_location", "timestamp_format", "dscp_allow",
     "keys"});
inline constexpr auto reflector_key_keys =
    std::to_array<std::string_view>({"prefixes", "key_file"});
inline constexpr auto clock_keys =
    std::to_array<std::string_view>({"trust", "error_bound", "chrony", "drift_ppm", "series"});
inline constexpr auto admin_keys = std::to_array<std::string_view>(
    {"listen", "connections_max", "tls_cert", "tls_key", "tls_client_ca", "bearer_token_file",
     "basic_user", "basic_password_file", "probe", "probe_allow", "probes_max", "modules"});
inline constexpr auto admin_module_keys = std::to_array<std::string_view>(
    {"name", "method", "port", "count", "interval", "timeout", "size", "dscp"});

inline constexpr auto stats_keys = std::to_array<std::string_view>({"tainted"});
inline constexpr auto objective_keys = std::to_array<std::string_view>({"percent", "rtt_us"});

inline constexpr Section top_section{"at the top level", top_keys};
inline constexpr Section target_section{"in [[targets]]", target_keys};
inline constexpr Section target_file_section{"in [[target_files]]", target_file_keys};
inline constexpr Section exporter_section{"in [[exporters]]", exporter_keys};
inline constexpr Section reflector_section{"in [reflector]", reflector_keys};
inline constexpr Section reflector_key_section{"in [[reflector.keys]]", reflector_key_keys};
inline constexpr Section clock_section{"in [clock]", clock_keys};
inline constexpr Section stats_section{"in [stats]", stats_keys};
inline constexpr Section objective_section{"in an objective", objective_keys};
inline constexpr Section admin_section{"in [admin]", admin_keys};
inline constexpr Section admin_module_section{"in [[admin.modules]]", admin_module_keys};

}  // namespace latmon
