// SPDX-License-Identifier: Apache-2.0
//
// See targets.hpp.
#include "loadgen/targets.hpp"

#include "loadgen/address_list.hpp"

#include <fmt/format.h>
#include <fstream>
#include <sstream>

namespace latmon::loadgen {
namespace {

// What `loadgen reflect` has to be told.
std::string command_text(const TargetsOptions& options) {
    std::string text = fmt::format("loadgen reflect --count {}", options.target_count);
    if (options.udp_port != 0) text += fmt::format(" --port {}", options.udp_port);
    if (options.tcp_port != 0) text += fmt::format(" --tcp-port {}", options.tcp_port);
    text += fmt::format(" --base {}", options.base);
    if (options.packets == PacketKind::ancestor) text += " --packets latency-monitor";
    if (!options.key_file.empty()) text += " --key-file " + options.key_file;
    return text;
}

std::string head_text(const TargetsOptions& options) {
    return fmt::format(
        "# {} targets for latmon, simulated by\n"
        "#   {}\n"
        "name = \"{}\"\n"
        "udp_port = {}\n"
        "tcp_port = {}\n"
        "stamp_port = 0\n"
        "interval = {}\n"
        "timeout = {}\n"
        "size = {}\n"
        "protocol = \"{}\"\n",
        options.target_count, command_text(options), options.name, options.latmon_udp_port,
        options.latmon_tcp_port, options.interval_ms, options.timeout_s, options.size_bytes,
        to_text(options.packets));
}

Result<std::string> exporters_text(const TargetsOptions& options) {
    if (options.exporters_file.empty()) {
        return fmt::format("\n[[exporters]]\nplugin = \"{}\"\n", options.exporter);
    }
    const std::ifstream file(options.exporters_file);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file || !text) {
        return fail(ExitCode::usage,
                    fmt::format("--exporters {} cannot be read; write a file with [[exporters]] "
                                "tables",
                                options.exporters_file));
    }
    return "\n" + text.str();
}

}  // namespace

Result<std::string> targets_text(const TargetsOptions& options) {
    const Result<AddressList> addresses = AddressList::make(options.base, options.target_count);
    if (!addresses) return std::unexpected(addresses.error());
    const Result<std::string> exporters = exporters_text(options);
    if (!exporters) return std::unexpected(exporters.error());
    std::string ports;
    if (options.udp_port != 0) ports += fmt::format("udp_port = {}\n", options.udp_port);
    if (options.tcp_port != 0) ports += fmt::format("tcp_port = {}\n", options.tcp_port);
    if (options.udp_port == 0) ports = "type = \"tcp\"\n" + ports;
    if (options.tcp_port == 0) ports = "type = \"udp\"\n" + ports;
    if (!options.key_file.empty()) ports += fmt::format("key_file = \"{}\"\n", options.key_file);
    std::string text = head_text(options) + *exporters;
    for (std::uint32_t index = 0; index < addresses->size(); ++index) {
        text += fmt::format("\n[[targets]]\nhost = \"{}\"\nlabel = \"t{:05}\"\n{}",
                            to_string(addresses->at(index)), index + 1, ports);
    }
    return text;
}

}  // namespace latmon::loadgen
