// SPDX-License-Identifier: Apache-2.0
//
// Reads what a target may say itself or inherit. The command line stands between the two: over the
// top level, under a target.
#include "config/read_common.hpp"

#include "config/probe_size.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>

namespace latmon {
namespace {

// What the ancestor pads its probes to: an Ethernet frame's payload less headers, with room to
// spare.
constexpr std::uint32_t compatible_size_bytes = 1'470;
// IFNAMSIZ less the NUL.
constexpr std::size_t interface_octets_max = 15;

// Brings the target's size to one that its probe can have: at least the packet without TLVs, at
// most a datagram. Says so if that changed it; `what` names the size.
std::string fit_size(TargetConfig& target, std::string_view what) {
    const std::uint32_t size_bytes = target.size_bytes;
    if (size_bytes == 0) return "";
    target.size_bytes =
        std::clamp(size_bytes, probe_bytes_min(shape_of(target)), limits::probe_bytes_max);
    if (target.size_bytes == size_bytes) return "";
    return fmt::format("{} is {}; {} octets are used, {}", what, size_bytes, target.size_bytes,
                       target.size_bytes > size_bytes ? "the least that holds a probe"
                                                      : "the most that a datagram holds");
}

void read_tlvs(const TableReader& reader, TargetConfig& target) {
    const std::optional<std::vector<ListItem>> items = reader.read_list("tlvs");
    if (!items) return;
    target.tlvs = 0;
    for (const ListItem& item : *items) {
        const std::optional<std::size_t> index = find_word(item.text, texts_of(tlv_words));
        if (index) {
            target.tlvs |= tlv_words[*index].meaning;
        } else {
            reader.report_word(item.where, item.text, texts_of(tlv_words));
        }
    }
}

// What a probe's packets are and what is believed of the answers.
void read_protocol(const TableReader& reader, TargetConfig& target) {
    reader.read("protocol", target.protocol, probe_protocol_words);
    reader.read("timestamp_format", target.timestamp_format, timestamp_format_words);
    read_tlvs(reader, target);
    reader.read("key_file", target.key_file);
    reader.read("trust_clock", target.trust_clock);
    reader.read("lenient_echo", target.lenient_echo);
    reader.read("descriptor", target.descriptor);
    reader.read("reflector_mode", target.reflector_mode, reflector_mode_words);
    reader.read("on_ssid_zero", target.on_ssid_zero, on_ssid_zero_words);
}

// The table `objective`, in one line or as a table of its own.
void read_objective(const TableReader& reader, TargetConfig& target) {
    const TomlMember* const member = reader.find("objective");
    if (member == nullptr) return;
    const TomlTable* const table = std::get_if<TomlTable>(&member->value.data);
    if (table == nullptr) {
        reader.report_type(*member, "{ percent = 99.0, rtt_us = 200 }");
        return;
    }
    const TableReader own(*table, objective_section, reader.mistakes());
    own.report_unknown_keys();
    for (const std::string_view key : objective_keys) {
        if (own.find(key) != nullptr) continue;
        reader.mistakes().error(member->value.where,
                                fmt::format("\"objective\" has no {}; write "
                                            "{{ percent = 99.0, rtt_us = 200 }}",
                                            in_quotes(key)));
    }
    double percent = 0;
    ObjectiveConfig objective;
    const bool has_percent = own.read("percent", percent, percent_range);
    const bool has_rtt = own.read("rtt_us", objective.rtt, objective_rtt_range);
    objective.ratio = percent / 100;
    if (has_percent && has_rtt) target.objective = objective;
}

void read_source(const TableReader& reader, TargetConfig& target) {
    std::string source;
    if (!reader.read("source", source)) return;
    const std::optional<Endpoint> address = parse_endpoint(source, 0);
    if (!source.empty() && (!address || is_multicast(address->address))) {
        reader.mistakes().error(reader.find("source")->value.where,
                                fmt::format("\"source\" is {}; write an address of this host, such "
                                            "as \"192.0.2.1\" or \"2001:db8::1\"",
                                            in_quotes(source)));
        return;
    }
    target.source = source;
}

void read_interface(const TableReader& reader, TargetConfig& target) {
    std::string interface;
    if (!reader.read("interface", interface)) return;
    if (interface.size() > interface_octets_max || interface.find('/') != std::string::npos) {
        reader.mistakes().error(reader.find("interface")->value.where,
                                fmt::format("\"interface\" is {}; write a name of at most {} "
                                            "octets as `ip link` shows it",
                                            in_quotes(interface), interface_octets_max));
        return;
    }
    target.interface = interface;
}

// A flag of the command line, for messages.
struct Flag {
    std::string_view name;
    Mistakes& mistakes;
};

void override_with(std::optional<double> count, const Flag& flag, const DurationRange& range,
                   Duration& out) {
    if (!count) return;
    const std::optional<Duration> duration = to_duration(*count, range);
    if (duration) {
        out = *duration;
    } else {
        flag.mistakes.command_line_error(
            fmt::format("{} is {}; write {}", flag.name, *count, describe(range)));
    }
}

template <std::unsigned_integral Integer>
void override_with(std::optional<Integer> value, const Flag& flag, const IntegerRange& range,
                   Integer& out) {
    if (!value) return;
    if (contains(range, *value)) {
        out = *value;
    } else {
        flag.mistakes.command_line_error(
            fmt::format("{} is {}; write {}", flag.name, *value, describe(range)));
    }
}

void override_size(std::optional<std::uint32_t> size_bytes, const Flag& flag,
                   TargetConfig& target) {
    if (!size_bytes) return;
    override_with(size_bytes, flag, size_range, target.size_bytes);
    const std::string warning = fit_size(target, flag.name);
    if (!warning.empty()) flag.mistakes.command_line_warning(warning);
}

void apply_overrides(const ConfigOverrides& overrides, TargetConfig& target, Mistakes& mistakes) {
    if (overrides.rtt) target.rtt = *overrides.rtt;
    if (overrides.tcp_latency) target.tcp_latency = *overrides.tcp_latency;
    override_with(overrides.tcp_port, {"--tcp-port", mistakes}, port_range, target.tcp_port);
    override_with(overrides.udp_port, {"--udp-port", mistakes}, port_range, target.udp_port);
    override_with(overrides.max_lost, {"--max-lost", mistakes}, max_lost_range, target.max_lost);
    override_with(overrides.interval_ms, {"--interval", mistakes}, interval_range, target.interval);
    override_with(overrides.timeout_s, {"--timeout", mistakes}, timeout_range, target.timeout);
    override_size(overrides.max_size_bytes, {"--max-size", mistakes}, target);
}

}  // namespace

void read_size(const TableReader& reader, std::string_view key, TargetConfig& target) {
    reader.read(key, target.size_bytes, size_range);
    const std::string warning = fit_size(target, in_quotes(key));
    if (!warning.empty()) reader.mistakes().warn(place_of(reader, key), warning);
}

SourcePosition place_of(const TableReader& reader, std::string_view key) {
    const TomlMember* member = reader.find(key);
    return member == nullptr ? reader.table().where : member->value.where;
}

// The keys that the top level and a target have in common, but for the sizes.
void read_common(const TableReader& reader, TargetConfig& target) {
    reader.read("rtt", target.rtt);
    reader.read("tcp_latency", target.tcp_latency);
    reader.read("udp_port", target.udp_port, port_range);
    reader.read("tcp_port", target.tcp_port, port_range);
    reader.read("interval", target.interval, interval_range);
    reader.read("timeout", target.timeout, timeout_range);
    reader.read("jitter", target.jitter, jitter_range);
    reader.read("max_lost", target.max_lost, max_lost_range);
    reader.read("dscp", target.dscp, dscp_range);
    read_source(reader, target);
    read_interface(reader, target);
    read_protocol(reader, target);
    read_objective(reader, target);
}

TargetConfig read_inherited(const TableReader& top, const ConfigOverrides& overrides,
                            bool is_compatible) {
    TargetConfig inherited;
    if (is_compatible) inherited.size_bytes = compatible_size_bytes;
    read_common(top, inherited);
    read_size(top, "max_size", inherited);
    read_size(top, "size", inherited);
    apply_overrides(overrides, inherited, top.mistakes());
    return inherited;
}

}  // namespace latmon
