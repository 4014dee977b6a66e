// SPDX-License-Identifier: Apache-2.0
//
// Reads [reflector]. A key that is meant to protect something and is wrong is always an error: a
// reflector that answers unauthenticated because of a slip would be the worst way to read a file.
#include "config/read_reflector.hpp"

#include "config/read_prefixes.hpp"

#include <fmt/format.h>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace latmon {
namespace {

// Loopback, private (RFC 1918, RFC 4193), shared (RFC 6598) and link-local: nobody on the Internet.
constexpr std::array<std::string_view, 9> default_allow{
    "127.0.0.0/8",    "::1/128",       "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
    "169.254.0.0/16", "100.64.0.0/10", "fe80::/10",  "fc00::/7"};

constexpr std::string_view dscp_allow_cure = "a list of code points from 0 to 63: [0, 46]";

void read_dscp_allow(const TableReader& reader, std::uint64_t& mask) {
    const TomlMember* member = reader.find("dscp_allow");
    if (member == nullptr) return;
    const TomlValue::List* values = std::get_if<TomlValue::List>(&member->value.data);
    if (values == nullptr) return reader.report_type(*member, dscp_allow_cure);
    mask = 0;
    for (const TomlValue& value : *values) {
        const std::int64_t* code_point = std::get_if<std::int64_t>(&value.data);
        if (code_point == nullptr) {
            reader.mistakes().error(value.where, fmt::format("\"dscp_allow\" holds {}; write {}",
                                                             type_name(value), dscp_allow_cure));
        } else if (!contains(dscp_range, *code_point)) {
            reader.mistakes().error(value.where, fmt::format("\"dscp_allow\" holds {}; write {}",
                                                             *code_point, dscp_allow_cure));
        } else {
            mask |= std::uint64_t{1} << static_cast<std::uint64_t>(*code_point);
        }
    }
}

// -- [[reflector.keys]] -----------------------------------------------------------------------

void read_key_prefixes(const TableReader& reader, std::vector<Prefix>& prefixes) {
    const TomlMember* member = reader.find("prefixes");
    if (member == nullptr) {
        reader.mistakes().error(reader.table().where,
                                "this [[reflector.keys]] table has no \"prefixes\"; add prefixes = "
                                "[\"PREFIX\"]: who sends from there must have the key");
        return;
    }
    read_prefixes(reader, "prefixes", prefixes, nullptr);
    const TomlValue::List* values = std::get_if<TomlValue::List>(&member->value.data);
    if (values != nullptr && values->empty()) {
        reader.mistakes().error(member->value.where,
                                "\"prefixes\" is empty, so that the key is nobody's; write "
                                "[\"PREFIX\"], or remove this [[reflector.keys]] table");
    }
}

ReflectorKeyConfig read_key(const TomlTable& table, Mistakes& mistakes) {
    const TableReader reader(table, reflector_key_section, mistakes);
    reader.report_unknown_keys();
    ReflectorKeyConfig key;
    key.where = table.where;
    read_key_prefixes(reader, key.prefixes);
    if (reader.find("key_file") == nullptr) {
        mistakes.error(table.where,
                       "this [[reflector.keys]] table has no \"key_file\"; add key_file = "
                       "\"PATH\" of a file with the key");
    } else if (reader.read("key_file", key.key_file) && key.key_file.empty()) {
        mistakes.error(reader.find("key_file")->value.where,
                       "\"key_file\" is empty; write the path of a file with the key, or remove "
                       "this [[reflector.keys]] table");
    }
    return key;
}

void read_keys(const TableReader& reader, std::vector<ReflectorKeyConfig>& keys) {
    const TomlMember* member = reader.find("keys");
    if (member == nullptr) return;
    const TomlValue::List* values = std::get_if<TomlValue::List>(&member->value.data);
    if (values == nullptr) {
        return reader.report_type(*member, "[[reflector.keys]], with two brackets, above each key");
    }
    for (const TomlValue& value : *values) {
        if (const TomlTable* table = std::get_if<TomlTable>(&value.data)) {
            keys.push_back(read_key(*table, reader.mistakes()));
        } else {
            reader.mistakes().error(
                value.where, fmt::format("\"keys\" holds {}; write a [[reflector.keys]] table with "
                                         "\"prefixes\" and \"key_file\"",
                                         type_name(value)));
        }
    }
}

}  // namespace

ReflectorConfig read_reflector(const TableReader& top) {
    ReflectorConfig reflector;
    for (const std::string_view prefix : default_allow) {
        reflector.allow.push_back(parse_prefix(prefix).value());
    }
    const TomlMember* member = top.find("reflector");
    if (member == nullptr) return reflector;
    const TomlTable* table = std::get_if<TomlTable>(&member->value.data);
    if (table == nullptr) {
        top.report_type(*member, "[reflector], with one bracket, above its keys");
        return reflector;
    }
    const TableReader reader(*table, reflector_section, top.mistakes());
    reader.report_unknown_keys();
    read_prefixes(reader, "allow", reflector.allow, &reflector.allow_any);
    read_prefixes(reader, "service_source_allow", reflector.service_source_allow, nullptr);
    reader.read("rate_per_source", reflector.rate_per_source, rate_range);
    reader.read("burst_per_source", reflector.burst_per_source, burst_range);
    reader.read("rate_total", reflector.rate_total, rate_range);
    reader.read("sessions_per_source", reflector.sessions_per_source, sessions_range);
    reader.read("mode", reflector.is_stateful, own_mode_words);
    reader.read("ancestor", reflector.answers_ancestor);
    reader.read("fill_location", reflector.fills_location);
    reader.read("timestamp_format", reflector.timestamp_format, timestamp_format_words);
    read_dscp_allow(reader, reflector.dscp_allow);
    read_keys(reader, reflector.keys);
    return reflector;
}

}  // namespace latmon
