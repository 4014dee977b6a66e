// SPDX-License-Identifier: Apache-2.0
//
// Reads the top level.
#include "config/read_config.hpp"

#include "config/cpu_list.hpp"
#include "config/read_admin.hpp"
#include "config/read_clock.hpp"
#include "config/read_common.hpp"
#include "config/read_exporters.hpp"
#include "config/read_reflector.hpp"
#include "config/read_stats.hpp"
#include "config/read_targets.hpp"
#include "config/table_reader.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace latmon {
namespace {

// -- Where we listen --------------------------------------------------------------------------

void read_addresses(const TableReader& reader, Config& config) {
    const std::optional<std::vector<ListItem>> items = reader.read_list("address");
    if (!items || (items->size() == 1 && items->front().text.empty())) return;
    const SourcePosition where = reader.find("address")->value.where;
    if (items->empty()) {
        reader.mistakes().error(where,
                                "\"address\" is an empty list; leave the key out to listen "
                                "on all addresses");
        return;
    }
    config.is_listen_explicit = true;
    config.listen_addresses.clear();
    std::vector<Endpoint> seen;
    for (const ListItem& item : *items) {
        const std::optional<Endpoint> address = parse_endpoint(item.text, 0);
        if (!address || is_multicast(address->address)) {
            reader.mistakes().error(
                item.where, fmt::format("\"address\" {} is no address of this host; write one such "
                                        "as \"192.0.2.1\" or \"::\", without a port",
                                        in_quotes(item.text)));
        } else if (std::find(seen.begin(), seen.end(), *address) != seen.end()) {
            reader.mistakes().error(item.where, fmt::format("\"address\" {} stands there twice; "
                                                            "remove one",
                                                            in_quotes(item.text)));
        } else {
            seen.push_back(*address);
            config.listen_addresses.push_back(item.text);
        }
    }
}

// -- Where we run -----------------------------------------------------------------------------

constexpr std::string_view cores_cure =
    "\"auto\", or CPU numbers, each once: \"0-3\", \"0,2\" or [0, 2]";

// The value of `cores` as the text that parse_cpu_list() takes; nullopt if it cannot be one.
std::optional<std::string> cores_text(const TomlValue& value) {
    if (const std::string* text = std::get_if<std::string>(&value.data)) return *text;
    const TomlValue::List* list = std::get_if<TomlValue::List>(&value.data);
    if (list == nullptr) return std::nullopt;
    std::string text;
    for (const TomlValue& item : *list) {
        const std::int64_t* cpu = std::get_if<std::int64_t>(&item.data);
        if (cpu == nullptr || !contains(cpu_range, *cpu)) return std::nullopt;
        if (!text.empty()) text += ',';
        text += fmt::format("{}", *cpu);
    }
    return text;
}

void read_cores(const TableReader& reader, Config& config) {
    const TomlMember* member = reader.find("cores");
    if (member == nullptr) return;
    constexpr std::array<std::string_view, 1> automatic{"auto"};
    const std::optional<std::string> text = cores_text(member->value);
    if (text && find_word(*text, automatic)) return;
    const std::optional<std::vector<std::uint32_t>> cpus =
        text ? parse_cpu_list(*text) : std::nullopt;
    if (cpus) {
        config.cores = *cpus;
    } else if (text) {
        reader.mistakes().error(member->value.where, fmt::format("\"cores\" is {}; write {}",
                                                                 in_quotes(*text), cores_cure));
    } else {
        reader.report_type(*member, cores_cure);
    }
}

// -- The node ---------------------------------------------------------------------------------

// The ancestor's own limits, which nothing here needs.
void read_ignored(const TableReader& reader) {
    for (const std::string_view key : {"max_seq", "max_conn"}) {
        const TomlMember* member = reader.find(key);
        if (member == nullptr) continue;
        reader.mistakes().warn(member->where,
                               fmt::format("{} has no effect any more; remove it", in_quotes(key)));
    }
}

void read_node(const TableReader& reader, Config& config) {
    reader.read("name", config.name);
    reader.read("tcp", config.tcp);
    reader.read("udp", config.udp);
    read_addresses(reader, config);
    config.is_stamp_port_explicit = reader.read("stamp_port", config.stamp_port, stamp_port_range);
    read_cores(reader, config);
    reader.read("precision", config.precision, precision_words);
    reader.read("stamps", config.stamps, stamp_policy_words);
    reader.read("log_level", config.log_level, log_level_words);
    reader.read("log_file", config.log_file);
    if (const std::optional<std::vector<ListItem>> items = reader.read_list("plugin_path")) {
        for (const ListItem& item : *items) {
            if (!item.text.empty()) config.plugin_path.push_back(item.text);
        }
    }
    reader.read("node_interval", config.node_interval, node_interval_range);
    reader.read("resolve_interval", config.resolve_interval, resolve_interval_range);
    read_ignored(reader);
}

void apply_overrides(const ConfigOverrides& overrides, Config& config) {
    if (overrides.name) config.name = *overrides.name;
    if (overrides.tcp) config.tcp = *overrides.tcp;
    if (overrides.udp) config.udp = *overrides.udp;
    if (overrides.log_level) config.log_level = *overrides.log_level;
    if (overrides.log_file) config.log_file = *overrides.log_file;
    if (config.name.empty()) config.name = host_name();
}

}  // namespace

Config read_config(const TomlTable& table, const std::string& file,
                   const ConfigOverrides& overrides, Mistakes& mistakes) {
    const TableReader top(table, top_section, mistakes);
    top.report_unknown_keys();
    Config config;
    config.file = file;
    for (const TomlMember& member : table.members)
        config.key_positions.emplace(member.key, member.where);
    read_node(top, config);
    apply_overrides(overrides, config);
    config.clock = read_clock(top);
    config.reflector = read_reflector(top);
    config.stats = read_stats(top);
    config.admin = read_admin(top);
    config.exporters = read_exporters(top, overrides);
    const bool is_compatible = !config.exporters.empty() && config.exporters.front().is_compatible;
    const TargetConfig inherited = read_inherited(top, overrides, is_compatible);
    config.udp_port = inherited.udp_port;
    config.tcp_port = inherited.tcp_port;
    read_targets(top, inherited, config);
    return config;
}

}  // namespace latmon
