// SPDX-License-Identifier: Apache-2.0
//
// See restart_keys.hpp.
#include "config/restart_keys.hpp"

#include "config/mistakes.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <string_view>

namespace latmon {
namespace {

// What stays of the reflector: its limits, its keys, what it says of itself.
bool is_same_reflector(const ReflectorConfig& a, const ReflectorConfig& b) {
    ReflectorConfig other = b;
    other.allow = a.allow;
    other.allow_any = a.allow_any;
    other.service_source_allow = a.service_source_allow;
    // Where the keys stand in the file makes no difference.
    if (a.keys.size() != b.keys.size()) return false;
    for (std::size_t index = 0; index < a.keys.size(); ++index)
        other.keys[index].where = a.keys[index].where;
    return a == other;
}

bool is_compatible(const Config& config) {
    return !config.exporters.empty() && config.exporters.front().is_compatible;
}

bool is_same_module(const ProbeModuleConfig& a, const ProbeModuleConfig& b) {
    return a.name == b.name && a.method == b.method && a.port == b.port && a.count == b.count &&
           a.interval == b.interval && a.timeout == b.timeout && a.size_bytes == b.size_bytes &&
           a.dscp == b.dscp;
}

struct RestartKey {
    std::string_view key;
    bool (*is_same)(const Config& a, const Config& b);
};

constexpr std::array restart_keys{
    RestartKey{"name", [](const Config& a, const Config& b) { return a.name == b.name; }},
    RestartKey{"udp", [](const Config& a, const Config& b) { return a.udp == b.udp; }},
    RestartKey{"tcp", [](const Config& a, const Config& b) { return a.tcp == b.tcp; }},
    RestartKey{"address",
               [](const Config& a, const Config& b) {
                   return a.listen_addresses == b.listen_addresses &&
                          a.is_listen_explicit == b.is_listen_explicit;
               }},
    RestartKey{"udp_port",
               [](const Config& a, const Config& b) { return a.udp_port == b.udp_port; }},
    RestartKey{"tcp_port",
               [](const Config& a, const Config& b) { return a.tcp_port == b.tcp_port; }},
    RestartKey{"stamp_port",
               [](const Config& a, const Config& b) { return a.stamp_port == b.stamp_port; }},
    RestartKey{"cores", [](const Config& a, const Config& b) { return a.cores == b.cores; }},
    RestartKey{"precision",
               [](const Config& a, const Config& b) { return a.precision == b.precision; }},
    RestartKey{"stamps", [](const Config& a, const Config& b) { return a.stamps == b.stamps; }},
    RestartKey{"node_interval",
               [](const Config& a, const Config& b) { return a.node_interval == b.node_interval; }},
    RestartKey{
        "resolve_interval",
        [](const Config& a, const Config& b) { return a.resolve_interval == b.resolve_interval; }},
    RestartKey{"clock", [](const Config& a, const Config& b) { return a.clock == b.clock; }},
    RestartKey{"reflector",
               [](const Config& a, const Config& b) {
                   return is_same_reflector(a.reflector, b.reflector);
               }},
    RestartKey{"admin",
               [](const Config& a, const Config& b) {
                   return a.admin.listen == b.admin.listen &&
                          a.admin.connections_max == b.admin.connections_max &&
                          a.admin.can_probe == b.admin.can_probe &&
                          a.admin.probe_allow == b.admin.probe_allow &&
                          a.admin.probe_allow_any == b.admin.probe_allow_any &&
                          a.admin.probes_max == b.admin.probes_max &&
                          std::ranges::equal(a.admin.modules, b.admin.modules, is_same_module);
               }},
    RestartKey{"stats",
               [](const Config& a, const Config& b) {
                   return a.stats.leaves_out_tainted == b.stats.leaves_out_tainted;
               }},
    RestartKey{"metrics", [](const Config& a,
                             const Config& b) { return is_compatible(a) == is_compatible(b); }},
};

SourcePosition place_of(const Config& config, std::string_view key) {
    const auto found = config.key_positions.find(std::string(key));
    return found == config.key_positions.end() ? SourcePosition{} : found->second;
}

}  // namespace

std::string restart_needed(const Config& running, const Config& wanted) {
    Mistakes mistakes(wanted.file);
    for (const RestartKey& key : restart_keys) {
        if (key.is_same(running, wanted)) continue;
        mistakes.error(place_of(wanted, key.key),
                       fmt::format("{} is another than latmon runs with, which needs a restart; "
                                   "restart latmon, or write what it was",
                                   in_quotes(key.key)));
    }
    return mistakes.has_errors() ? mistakes.errors_text() : "";
}

}  // namespace latmon
