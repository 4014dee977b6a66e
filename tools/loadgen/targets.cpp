// SPDX-License-Identifier: Apache-2.0
//
// See targets.hpp.
#include "loadgen/targets.hpp"

#include "loadgen/address_list.hpp"

#include <fmt/format.h>

namespace latmon::loadgen {
namespace {

std::string head_text(const TargetsOptions& options) {
    return fmt::format(
        "# {} targets for latmon, simulated by\n"
        "#   loadgen reflect --count {} --port {} --base {}\n"
        "name = \"{}\"\n"
        "udp_port = {}\n"
        "tcp_port = {}\n"
        "stamp_port = 0\n"
        "interval = {}\n"
        "timeout = {}\n"
        "size = {}\n"
        "\n"
        "[[exporters]]\n"
        "plugin = \"{}\"\n",
        options.target_count, options.target_count, options.port, options.base, options.name,
        options.latmon_udp_port, options.latmon_tcp_port, options.interval_ms, options.timeout_s,
        options.size_bytes, options.exporter);
}

}  // namespace

Result<std::string> targets_text(const TargetsOptions& options) {
    const Result<AddressList> addresses = AddressList::make(options.base, options.target_count);
    if (!addresses) return std::unexpected(addresses.error());
    std::string text = head_text(options);
    for (std::uint32_t index = 0; index < addresses->size(); ++index) {
        text += fmt::format(
            "\n[[targets]]\nhost = \"{}\"\nlabel = \"t{:05}\"\ntype = \"udp\"\nudp_port = {}\n",
            address_text(addresses->at(index)), index + 1, options.port);
    }
    return text;
}

}  // namespace latmon::loadgen
