// SPDX-License-Identifier: Apache-2.0
//
// Reads [admin]. What opens something to others that the operator may not have meant to is a
// warning that says what; half of a pair that protects something is an error.
#include "config/read_admin.hpp"

#include "base/host_port.hpp"
#include "config/read_common.hpp"
#include "config/read_prefixes.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <optional>
#include <string_view>

namespace latmon {
namespace {

constexpr std::string_view default_listen = "127.0.0.1:9464";
constexpr std::string_view listen_cure =
    "write ADDRESS:PORT such as \"127.0.0.1:9464\", \"[::1]:9464\" or \"0.0.0.0:9464\", "
    "\"unix:/run/latmon/admin.sock\", or \"\" to switch it off";

std::optional<AdminAddress> parse_address(std::string_view text) {
    constexpr std::string_view unix_mark = "unix:";
    if (text.starts_with(unix_mark)) {
        text.remove_prefix(unix_mark.size());
        if (!text.starts_with('/')) return std::nullopt;
        return AdminAddress{.endpoint = {}, .socket_path = std::string(text)};
    }
    const std::optional<Endpoint> endpoint = parse_endpoint(text);
    if (!endpoint || is_multicast(endpoint->address)) return std::nullopt;
    return AdminAddress{.endpoint = *endpoint, .socket_path = ""};
}

void read_listen(const TableReader& reader, AdminConfig& admin) {
    const std::optional<std::vector<ListItem>> items = reader.read_list("listen");
    if (!items) return;
    admin.is_listen_explicit = true;
    admin.listen.clear();
    if (items->size() == 1 && items->front().text.empty()) return;
    for (const ListItem& item : *items) {
        const std::optional<AdminAddress> address = parse_address(item.text);
        if (!address) {
            reader.mistakes().error(item.where,
                                    fmt::format("\"listen\" {} is nowhere to listen; {}",
                                                in_quotes(item.text), listen_cure));
        } else if (std::find(admin.listen.begin(), admin.listen.end(), *address) !=
                   admin.listen.end()) {
            reader.mistakes().error(
                item.where,
                fmt::format("\"listen\" {} stands there twice; remove one", in_quotes(item.text)));
        } else {
            admin.listen.push_back(*address);
        }
    }
}

// -- Who may use it ---------------------------------------------------------------------------

// Half of a pair: `has` is there without `needs`.
void check_pair(const TableReader& reader, std::string_view has, std::string_view needs) {
    reader.mistakes().error(
        place_of(reader, has),
        fmt::format("{} is set without {}; set both, or none", in_quotes(has), in_quotes(needs)));
}

void read_protection(const TableReader& reader, AdminConfig& admin) {
    reader.read("tls_cert", admin.tls_cert);
    reader.read("tls_key", admin.tls_key);
    reader.read("tls_client_ca", admin.tls_client_ca);
    reader.read("bearer_token_file", admin.bearer_token_file);
    reader.read("basic_user", admin.basic_user);
    reader.read("basic_password_file", admin.basic_password_file);
    const auto check = [&](const std::string& value, std::string_view has, const std::string& other,
                           std::string_view needs) {
        if (!value.empty() && other.empty()) check_pair(reader, has, needs);
    };
    check(admin.tls_cert, "tls_cert", admin.tls_key, "tls_key");
    check(admin.tls_key, "tls_key", admin.tls_cert, "tls_cert");
    check(admin.tls_client_ca, "tls_client_ca", admin.tls_cert, "tls_cert");
    check(admin.basic_user, "basic_user", admin.basic_password_file, "basic_password_file");
    check(admin.basic_password_file, "basic_password_file", admin.basic_user, "basic_user");
    if (admin.basic_user.find(':') != std::string::npos) {
        reader.mistakes().error(place_of(reader, "basic_user"),
                                "\"basic_user\" has a ':', which would end it (RFC 7617); write "
                                "another name");
    }
}

bool is_open_to_others(const AdminConfig& admin) noexcept {
    return !std::all_of(admin.listen.begin(), admin.listen.end(), is_local);
}

void warn_of_exposure(const TableReader& reader, const AdminConfig& admin) {
    if (!is_open_to_others(admin)) return;
    const bool has_secret = !admin.bearer_token_file.empty() || !admin.basic_user.empty();
    const bool has_tls = !admin.tls_cert.empty();
    if (has_secret && !has_tls) {
        reader.mistakes().warn(place_of(reader, "listen"),
                               "\"listen\" is open to other hosts without TLS: the token or "
                               "password crosses the network in plain text; set tls_cert and "
                               "tls_key, or listen on 127.0.0.1 behind a proxy that has TLS");
    } else if (!has_secret && admin.tls_client_ca.empty()) {
        reader.mistakes().warn(place_of(reader, "listen"),
                               "\"listen\" is open to other hosts without credentials: whoever "
                               "reaches it sees all targets and figures, and may reload the "
                               "configuration; set bearer_token_file, basic_user or "
                               "tls_client_ca, or listen on 127.0.0.1");
    }
}

// -- /probe -----------------------------------------------------------------------------------

ProbeModuleConfig read_module(const TomlTable& table, const AdminConfig& admin,
                              Mistakes& mistakes) {
    const TableReader reader(table, admin_module_section, mistakes);
    reader.report_unknown_keys();
    ProbeModuleConfig module;
    module.where = table.where;
    const bool has_name = reader.read("name", module.name) && !module.name.empty();
    const auto is_same = [&](const auto& other) { return other.name == module.name; };
    if (!has_name) {
        mistakes.error(table.where,
                       "this [[admin.modules]] table has no \"name\"; add name = \"NAME\", which "
                       "/probe?module=NAME then means");
    } else if (std::any_of(admin.modules.begin(), admin.modules.end(), is_same)) {
        mistakes.error(reader.find("name")->value.where,
                       fmt::format("the module {} stands there twice; write another name",
                                   in_quotes(module.name)));
    }
    reader.read("method", module.method, probe_method_words);
    reader.read("port", module.port, admin_port_range);
    reader.read("count", module.count, probe_count_range);
    reader.read("interval", module.interval, interval_range);
    reader.read("timeout", module.timeout, timeout_range);
    reader.read("size", module.size_bytes, size_range);
    reader.read("dscp", module.dscp, dscp_range);
    return module;
}

void read_modules(const TableReader& reader, AdminConfig& admin) {
    const TomlMember* member = reader.find("modules");
    if (member == nullptr) return;
    const TomlValue::List* values = std::get_if<TomlValue::List>(&member->value.data);
    if (values == nullptr) {
        return reader.report_type(*member,
                                  "[[admin.modules]], with two brackets, above each module");
    }
    for (const TomlValue& value : *values) {
        if (const TomlTable* table = std::get_if<TomlTable>(&value.data)) {
            admin.modules.push_back(read_module(*table, admin, reader.mistakes()));
        } else {
            reader.mistakes().error(value.where,
                                    fmt::format("\"modules\" holds {}; write an [[admin.modules]] "
                                                "table with a \"name\"",
                                                type_name(value)));
        }
    }
}

void read_probing(const TableReader& reader, AdminConfig& admin) {
    reader.read("probe", admin.can_probe);
    read_prefixes(reader, "probe_allow", admin.probe_allow, &admin.probe_allow_any);
    reader.read("probes_max", admin.probes_max, probes_range);
    read_modules(reader, admin);
    const bool is_said = reader.find("probe_allow") != nullptr &&
                         (admin.probe_allow_any || !admin.probe_allow.empty());
    if (is_said || !admin.can_probe) return;
    admin.probe_allow_any = !is_open_to_others(admin);
    if (admin.probe_allow_any) return;
    reader.mistakes().error(place_of(reader, "probe"),
                            "\"probe\" is on and \"listen\" open to other hosts, so that others "
                            "could make this node probe whom they like; add probe_allow = "
                            "[\"PREFIX\"], or [\"any\"] if that is meant");
}

}  // namespace

AdminConfig read_admin(const TableReader& top) {
    AdminConfig admin;
    admin.listen.push_back(parse_address(default_listen).value());
    const TomlMember* member = top.find("admin");
    if (member == nullptr) return admin;
    const TomlTable* table = std::get_if<TomlTable>(&member->value.data);
    if (table == nullptr) {
        top.report_type(*member, "[admin], with one bracket, above its keys");
        return admin;
    }
    const TableReader reader(*table, admin_section, top.mistakes());
    reader.report_unknown_keys();
    read_listen(reader, admin);
    reader.read("connections_max", admin.connections_max, connections_range);
    read_protection(reader, admin);
    warn_of_exposure(reader, admin);
    read_probing(reader, admin);
    return admin;
}

bool is_local(const AdminAddress& address) noexcept {
    if (!address.socket_path.empty()) return true;
    const AddressBytes& bytes = address.endpoint.address;
    if (is_ipv4(bytes)) return bytes[12] == 127;
    return std::all_of(bytes.begin(), bytes.end() - 1,
                       [](std::uint8_t octet) { return octet == 0; }) &&
           bytes.back() == 1;
}

std::string to_string(const AdminAddress& address) {
    return address.socket_path.empty() ? to_string(address.endpoint)
                                       : "unix:" + address.socket_path;
}

}  // namespace latmon
