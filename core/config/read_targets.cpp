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

// What is wrong with `host`, with the cure; "" if nothing is. `where_ports_go`: for the cure.
std::string fault_of_host(const std::string& host, std::string_view where_ports_go) {
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
        return fmt::format("is neither an address nor a name; write one of them alone: ports go {}",
                           where_ports_go);
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
    const std::string fault =
        fault_of_host(target.host, "into \"udp_port\", \"tcp_port\" or \"port\"");
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

// All targets so far, and where those of files stand in these: for messages alone, so that it is
// not kept with them.
class Listed {
public:
    explicit Listed(std::vector<TargetConfig>& targets)
        : targets_(targets), tables_count_(targets.size()) {}

    void begin_file(const std::string& file) { files_.push_back(file); }
    // Of the file that was begun last.
    void add(TargetConfig target, const FileTarget& listed) {
        places_.push_back({files_.size() - 1, listed.group, listed.place});
        targets_.push_back(std::move(target));
    }

    [[nodiscard]] std::vector<TargetConfig>& targets() const noexcept { return targets_; }
    [[nodiscard]] std::size_t index_of(const TargetConfig& target) const noexcept {
        return static_cast<std::size_t>(&target - targets_.data());
    }
    [[nodiscard]] bool is_of_file(const TargetConfig& target) const noexcept {
        return index_of(target) >= tables_count_;
    }
    [[nodiscard]] std::string place_of(const TargetConfig& target) const {
        if (!is_of_file(target)) return fmt::format("line {}", target.where.line);
        const Place& place = places_[index_of(target) - tables_count_];
        return place_in_file(files_[place.file], place.group, place.place);
    }

private:
    struct Place {
        std::size_t file;  // Index into files_.
        std::uint32_t group;
        std::uint32_t place;
    };
    std::vector<TargetConfig>& targets_;
    const std::size_t tables_count_;  // The first so many are those of [[targets]] tables.
    std::vector<std::string> files_;
    std::vector<Place> places_;  // Of those behind.
};

void report_twin(const TargetConfig& target, const TargetConfig& twin, const Listed& listed,
                 Mistakes& mistakes) {
    const bool is_of_file = listed.is_of_file(target);
    mistakes.error(
        target.where,
        fmt::format("{}target {} is probed by the same protocol and port as the one in {}; give "
                    "one of the two a \"{}\" of its own",
                    is_of_file ? listed.place_of(target) + ": " : "",
                    in_quotes(target.label.empty() ? target.host : target.label),
                    listed.place_of(twin), is_of_file ? file_label_key : "label"));
}

// Two targets with one name, protocol and port would become one series in every exporter. Those
// that files list twice, the same in everything, are one: inventories overlap.
void settle_twins(Listed& listed, Mistakes& mistakes) {
    using Identity = std::tuple<std::string, Protocols, std::uint16_t>;
    std::map<Identity, const TargetConfig*> seen;
    std::vector<TargetConfig>& targets = listed.targets();
    std::vector<bool> is_double(targets.size());
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
        const bool are_of_files = listed.is_of_file(target) && listed.is_of_file(*twin);
        if (are_of_files && is_same_target(target, *twin)) {
            is_double[listed.index_of(target)] = true;
        } else {
            report_twin(target, *twin, listed, mistakes);
        }
    }
    std::size_t kept = 0;
    for (std::size_t index = 0; index < targets.size(); ++index) {
        if (is_double[index]) continue;
        if (kept != index) targets[kept] = std::move(targets[index]);
        ++kept;
    }
    targets.erase(targets.begin() + static_cast<std::ptrdiff_t>(kept), targets.end());
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
                   Listed& targets) {
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
        targets.begin_file(file);
        for (const FileTarget& each : *listed) {
            std::string fault = fault_of_host(each.host, "behind it, as in \"host:port\"");
            const std::optional<Endpoint> host = parse_endpoint(each.host, 0);
            const std::optional<Endpoint> source = parse_endpoint(pattern.source, 0);
            if (host && source && is_ipv4(host->address) != is_ipv4(source->address)) {
                fault = "is not of the family of \"source\"; list it in another file";
            }
            if (!fault.empty()) {
                mistakes.error(
                    pattern.where,
                    fmt::format("{}: target {} {}", place_in_file(file, each.group, each.place),
                                in_quotes(each.host), fault));
            } else if (targets.targets().size() < file_targets_max) {
                targets.add(target_of(each, pattern), each);
            }
        }
    }
}

void read_target_files(const TableReader& reader, const TargetConfig& inherited, Config& config,
                       Listed& listed) {
    reader.report_unknown_keys();
    TargetConfig pattern = inherited;
    pattern.where = reader.table().where;
    std::string path;
    if (!reader.read("path", path) || path.empty()) {
        reader.mistakes().error(reader.table().where,
                                "this [[target_files]] table has no \"path\"; add path = "
                                "\"/etc/latmon/targets/*.json\"");
        return;
    }
    if (path.substr(0, path.rfind('/') + 1).find_first_of("*?[") != std::string::npos) {
        reader.mistakes().error(
            reader.find("path")->value.where,
            "\"path\" has wildcards in a directory; write them in the file's name "
            "alone");
        return;
    }
    read_rest(reader, config, pattern);
    config.target_patterns.push_back(path);
    read_files_of(path, pattern, reader.mistakes(), listed);
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

bool is_same_target(const TargetConfig& a, const TargetConfig& b) {
    TargetConfig moved = a;
    moved.where = b.where;
    return moved == b;
}

void read_targets(const TableReader& top, const TargetConfig& inherited, Config& config) {
    read_tables(top, "targets", [&](const TomlTable& table) {
        config.targets.push_back(read_target(table, inherited, config, top.mistakes()));
    });
    Listed listed(config.targets);
    read_tables(top, "target_files", [&](const TomlTable& table) {
        const TableReader reader(table, target_file_section, top.mistakes());
        read_target_files(reader, inherited, config, listed);
    });
    settle_twins(listed, top.mistakes());
}

}  // namespace latmon
