// SPDX-License-Identifier: Apache-2.0
//
// Reads targets. A target that is wrong in one key is still read to its end, so that the operator
// sees all of it.
#include "config/read_targets.hpp"

#include "config/read_common.hpp"
#include "config/target_file.hpp"

#include <fmt/format.h>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>

namespace latmon {
namespace {

// RFC 1035 section 2.3.4.
constexpr std::size_t host_octets_max = 253;
enum class Protocols : std::uint8_t { udp, tcp };
constexpr std::array<Word<Protocols>, 2> protocol_words{
    {{"udp", Protocols::udp}, {"tcp", Protocols::tcp}}};

// What is wrong with `host`, with the cure; "" if nothing is.
std::string fault_of_host(const std::string& host) {
    const std::optional<Endpoint> address = parse_endpoint(host, 0);
    if (address) {
        if (is_multicast(address->address)) return "is not one host's address; write that";
        if (is_unspecified(*address)) return "is no host's address; write \"127.0.0.1\" or \"::1\"";
        return "";
    }
    if (host.empty()) return "is empty; write an address or a name";
    if (host.size() > host_octets_max) return "is longer than a name may be (253 octets)";
    if (host.find('%') != std::string::npos) {
        return "is no link-local address with an interface of this host; see `ip -6 address`";
    }
    if (host.find_first_of(":[]/ \\\"'<>|@#?") != std::string::npos) {
        return "is neither an address nor a name; write one of them alone: ports go into "
               "\"udp_port\", \"tcp_port\" or \"port\"";
    }
    if (host.find_first_not_of("0123456789.") == std::string::npos) {
        return "is no IPv4 address; write four numbers from 0 to 255 with dots between";
    }
    return "";
}

void read_host(const TableReader& reader, TargetConfig& target) {
    const TomlMember* member = reader.find("host");
    if (member == nullptr) {
        reader.mistakes().error(target.where,
                                "this [[targets]] table has no \"host\"; add host = \"ADDRESS\"");
        return;
    }
    if (!reader.read("host", target.host)) return;
    const std::string fault = fault_of_host(target.host);
    if (fault.empty()) return;
    reader.mistakes().error(member->value.where,
                            fmt::format("\"host\" {} {}", in_quotes(target.host), fault));
}

void read_tags(const TableReader& reader, TargetConfig& target) {
    const std::optional<std::vector<ListItem>> items = reader.read_list("tags");
    if (!items) return;
    for (const ListItem& item : *items) {
        const std::size_t colon = item.text.find(':');
        if (colon == std::string::npos || colon == 0) {
            reader.mistakes().error(
                item.where,
                fmt::format("tag {} has no key; write \"key:value\"", in_quotes(item.text)));
        }
        target.tags.push_back(item.text);
    }
}

// `port` sets both ports; the port of one protocol, if given as well, is more particular.
void read_shorthand_port(const TableReader& reader, TargetConfig& target) {
    std::uint16_t port = 0;
    if (!reader.read("port", port, port_range)) return;
    if (reader.find("udp_port") == nullptr) target.udp_port = port;
    if (reader.find("tcp_port") == nullptr) target.tcp_port = port;
}

void check_together(const TableReader& reader, const TargetConfig& target) {
    if (target.jitter + target.jitter > target.interval) {
        reader.mistakes().error(
            place_of(reader, "jitter"),
            fmt::format("\"jitter\" is {} ms at an interval of {} ms; write at most half of the "
                        "interval, or probes would overtake each other",
                        static_cast<double>(target.jitter.ns) / 1e6,
                        static_cast<double>(target.interval.ns) / 1e6));
    }
    const std::optional<Endpoint> host = parse_endpoint(target.host, 0);
    const std::optional<Endpoint> source = parse_endpoint(target.source, 0);
    if (host && source && is_ipv4(host->address) != is_ipv4(source->address)) {
        reader.mistakes().error(
            place_of(reader, "source"),
            fmt::format("\"source\" {} and \"host\" {} are not of one family; write an {} source, "
                        "or source = \"\" to leave it to the kernel",
                        in_quotes(target.source), in_quotes(target.host),
                        is_ipv4(host->address) ? "IPv4" : "IPv6"));
    }
    if (target.udp && target.protocol == ProbeProtocol::twamp_light && !target.key_file.empty()) {
        reader.mistakes().error(
            place_of(reader, "key_file"),
            "\"key_file\" does not go with protocol \"twamp-light\", whose authentication is "
            "another one (RFC 5357, with AES) and needs a control connection; write protocol = "
            "\"stamp\", or key_file = \"\"");
    }
    if (target.protocol == ProbeProtocol::ancestor && !target.key_file.empty()) {
        reader.mistakes().error(
            place_of(reader, "key_file"),
            "\"key_file\" does not go with protocol \"latency-monitor\", which has no "
            "authentication; write protocol = \"stamp\", or key_file = \"\"");
    }
}

// Of answers without round trips none is good or bad: losses alone would be judged, and one of many
// would break the objective.
void fit_objective(const TableReader& reader, TargetConfig& target) {
    if (target.rtt || !target.objective) return;
    target.objective.reset();
    if (reader.find("objective") == nullptr) return;
    reader.mistakes().error(place_of(reader, "objective"),
                            "\"objective\" is about round trips, of which this target has none by "
                            "rtt = false; write rtt = true, or leave \"objective\" out");
}

// All but which target it is.
void read_rest(const TableReader& reader, const Config& config, TargetConfig& target) {
    read_tags(reader, target);
    read_common(reader, target);
    read_shorthand_port(reader, target);
    read_size(reader, "size", target);
    target.udp = config.udp;
    target.tcp = config.tcp;
    Protocols only = Protocols::udp;
    if (reader.read("type", only, protocol_words)) {
        target.udp = target.udp && only == Protocols::udp;
        target.tcp = target.tcp && only == Protocols::tcp;
    }
    if (!target.udp && !target.tcp) {
        reader.mistakes().warn(target.where,
                               fmt::format("target {} is not probed: its protocol is switched "
                                           "off at the top level",
                                           in_quotes(target.host)));
    }
    check_together(reader, target);
    fit_objective(reader, target);
}

TargetConfig read_target(const TomlTable& table, const TargetConfig& inherited,
                         const Config& config, Mistakes& mistakes) {
    const TableReader reader(table, target_section, mistakes);
    reader.report_unknown_keys();
    TargetConfig target = inherited;
    target.where = table.where;
    read_host(reader, target);
    reader.read("label", target.label);
    read_rest(reader, config, target);
    return target;
}

// Two targets with one name, protocol and port would become one series in every exporter.
void report_twins(const std::vector<TargetConfig>& targets, Mistakes& mistakes) {
    using Identity = std::tuple<std::string, Protocols, std::uint16_t>;
    std::map<Identity, const TargetConfig*> seen;
    for (const TargetConfig& target : targets) {
        const std::string& name = target.label.empty() ? target.host : target.label;
        if (name.empty()) continue;
        const TargetConfig* twin = nullptr;
        if (target.udp) {
            twin = seen.try_emplace({name, Protocols::udp, target.udp_port}, &target).first->second;
        }
        if (target.tcp && (twin == nullptr || twin == &target)) {
            twin = seen.try_emplace({name, Protocols::tcp, target.tcp_port}, &target).first->second;
        }
        if (twin == nullptr || twin == &target) continue;
        mistakes.error(target.where,
                       fmt::format("target {} is probed by the same protocol and port "
                                   "as the one in line {}; give one of the two a "
                                   "\"label\" of its own",
                                   in_quotes(name), twin->where.line));
    }
}

// A file's target: what the table says of all, and what the file says of this one.
TargetConfig target_of(const FileTarget& listed, const TargetConfig& pattern) {
    TargetConfig target = pattern;
    target.host = listed.host;
    target.label = listed.label;
    target.tags.insert(target.tags.end(), listed.tags.begin(), listed.tags.end());
    if (listed.port) target.udp_port = target.tcp_port = *listed.port;
    return target;
}

void read_files_of(const std::string& path, const TargetConfig& pattern, Mistakes& mistakes,
                   std::vector<TargetConfig>& targets) {
    const std::vector<std::string> files = files_of_pattern(path);
    if (files.empty()) {
        mistakes.warn(pattern.where, fmt::format("there is no file {} yet: no targets come of it",
                                                 in_quotes(path)));
    }
    for (const std::string& file : files) {
        const Result<std::string> text = read_target_file(file);
        const Result<std::vector<FileTarget>> listed =
            text ? parse_target_file(*text, file)
                 : Result<std::vector<FileTarget>>(std::unexpected(text.error()));
        if (!listed) {
            mistakes.error(pattern.where, listed.error().text);
            continue;
        }
        for (const FileTarget& each : *listed) {
            std::string fault = fault_of_host(each.host);
            const std::optional<Endpoint> host = parse_endpoint(each.host, 0);
            const std::optional<Endpoint> source = parse_endpoint(pattern.source, 0);
            if (host && source && is_ipv4(host->address) != is_ipv4(source->address)) {
                fault = "is not of the family of \"source\"; list it in another file";
            }
            if (!fault.empty()) {
                mistakes.error(pattern.where,
                               fmt::format("{}: target {} {}", file, in_quotes(each.host), fault));
            } else if (targets.size() < file_targets_max) {
                targets.push_back(target_of(each, pattern));
            }
        }
    }
}

void read_target_files(const TomlTable& table, const TargetConfig& inherited, Config& config,
                       Mistakes& mistakes) {
    const TableReader reader(table, target_file_section, mistakes);
    reader.report_unknown_keys();
    TargetConfig pattern = inherited;
    pattern.where = table.where;
    std::string path;
    if (!reader.read("path", path) || path.empty()) {
        mistakes.error(table.where,
                       "this [[target_files]] table has no \"path\"; add path = "
                       "\"/etc/latmon/targets/*.json\"");
        return;
    }
    if (path.substr(0, path.rfind('/') + 1).find_first_of("*?[") != std::string::npos) {
        mistakes.error(reader.find("path")->value.where,
                       "\"path\" has wildcards in a directory; write them in the file's name "
                       "alone");
        return;
    }
    read_rest(reader, config, pattern);
    config.target_patterns.push_back(path);
    read_files_of(path, pattern, mistakes, config.targets);
}

// The tables of a list of tables, one by one.
template <typename Read>
void read_tables(const TableReader& top, std::string_view key, const Read& read) {
    const TomlMember* member = top.find(key);
    if (member == nullptr) return;
    const TomlValue::List* values = std::get_if<TomlValue::List>(&member->value.data);
    if (values == nullptr) {
        top.report_type(*member, fmt::format("[[{}]], with two brackets, above each of them", key));
        return;
    }
    for (const TomlValue& value : *values) {
        if (const TomlTable* table = std::get_if<TomlTable>(&value.data)) {
            read(*table);
        } else {
            top.mistakes().error(value.where,
                                 fmt::format("\"{}\" holds {}; write a [[{}]] table "
                                             "with {}",
                                             key, type_name(value), key,
                                             key == "targets" ? "a \"host\"" : "a \"path\""));
        }
    }
}

}  // namespace

void read_targets(const TableReader& top, const TargetConfig& inherited, Config& config) {
    read_tables(top, "targets", [&](const TomlTable& table) {
        config.targets.push_back(read_target(table, inherited, config, top.mistakes()));
    });
    read_tables(top, "target_files", [&](const TomlTable& table) {
        read_target_files(table, inherited, config, top.mistakes());
    });
    report_twins(config.targets, top.mistakes());
}

}  // namespace latmon
