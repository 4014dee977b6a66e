// SPDX-License-Identifier: Apache-2.0
//
// The options of `loadgen targets`, and what does not go together among them; see arguments.hpp.
// Main thread only.
#include "loadgen/arguments_common.hpp"

namespace latmon::loadgen {
namespace {

// What need not be escaped in TOML.
std::string fault_of_word(const std::string& word) {
    const bool is_plain = word.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789._-") == std::string::npos;
    return is_plain && !word.empty() ? "" : "write letters, digits, '.', '_' and '-'";
}

}  // namespace

TargetsArguments::TargetsArguments(CLI::App& app) : app_(app) {
    const CLI::Validator is_word(fault_of_word, "WORD");
    app.add_option("--count", options_.target_count, "Targets")->required()->check(count_range);
    app.add_option("--port", options_.udp_port, "Their UDP port; none if not given")
        ->check(port_range);
    app.add_option("--tcp-port", options_.tcp_port, "Their TCP port; none if not given")
        ->check(port_range);
    app.add_option("--interval", options_.interval_ms, "Milliseconds between probes of a target")
        ->required()
        ->check(CLI::Range(0.1, 86'400'000.0));
    app.add_option("--timeout", options_.timeout_s, "Seconds")->check(timeout_range);
    app.add_option("--base", options_.base, "The address before the first target's, v4 or v6");
    add_packets(app, options_.packets, options_.key_file);
    app.add_option("--size", options_.size_bytes, "Octets of a probe")->check(size_range);
    app.add_option("--exporter", options_.exporter, "The name of a plugin, without options")
        ->check(is_word);
    app.add_option("--exporters", options_.exporters_file,
                   "A file with [[exporters]] tables, in its place")
        ->excludes("--exporter");
    app.add_option("--name", options_.name, "The latmon's name")->check(is_word);
    app.add_option("--latmon-udp-port", options_.latmon_udp_port, "What the latmon listens on")
        ->check(port_range);
    app.add_option("--latmon-tcp-port", options_.latmon_tcp_port, "What the latmon listens on")
        ->check(port_range);
}

Result<Command> TargetsArguments::finish() {
    if (options_.udp_port == 0 && options_.tcp_port == 0) {
        return usage_error("--port or --tcp-port is needed");
    }
    if (options_.packets == PacketKind::ancestor && !options_.key_file.empty()) {
        return usage_error("latency-monitor's packets have no key");
    }
    if (app_.count("--size") == 0 && !options_.key_file.empty()) options_.size_bytes = 112;
    return options_;
}

}  // namespace latmon::loadgen
