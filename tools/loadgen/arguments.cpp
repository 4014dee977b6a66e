// SPDX-License-Identifier: Apache-2.0
//
// See arguments.hpp. CLI11 does the work and is seen in arguments*.cpp alone; each mode has a file.
#include "loadgen/arguments.hpp"

#include "loadgen/arguments_common.hpp"

namespace latmon::loadgen {
namespace {

const std::map<std::string, PacketKind> packet_names{{"stamp", PacketKind::stamp},
                                                     {"latency-monitor", PacketKind::ancestor}};

}  // namespace

void add_packets(CLI::App& app, PacketKind& packets, std::string& key_file) {
    add_choice(app, "--packets", packet_names, packets)->description("stamp, or latency-monitor's");
    app.add_option("--key-file", key_file,
                   "A key for authenticated STAMP, in a file as latmon's own `key_file`");
}

void add_timer(CLI::App& app, TimerOptions& timer, bool& spin) {
    app.add_flag("--spin", spin, "Never sleep: a whole CPU for the least lateness");
    app.add_option("--spin-last-us", timer.spin_last_us,
                   "Sleep until so long before the next deadline, and spin the rest")
        ->check(CLI::Range(0, 1'000'000));
    app.add_option("--trust-lateness-us", timer.trust_us,
                   "The run cannot be trusted if the p99 of our own lateness is above")
        ->check(CLI::Range(1, 60'000'000));
}

Result<Command> parse_arguments(int argc, const char* const* argv) {
    CLI::App app("A load for one latmon, on loopback or in a namespace.", "loadgen");
    app.require_subcommand(1);
    app.option_defaults()->always_capture_default();
    CLI::App* const reflect = app.add_subcommand("reflect", "Simulate targets that answer");
    CLI::App* const targets = app.add_subcommand("targets", "Print a configuration for latmon");
    CLI::App* const probe = app.add_subcommand("probe", "Probe a reflector at a given rate");
    ReflectArguments reflect_arguments(*reflect);
    TargetsArguments targets_arguments(*targets);
    ProbeArguments probe_arguments(*probe);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return HelpText{app.help()};
    } catch (const CLI::ParseError& error) {
        return usage_error(error.what());
    }
    if (reflect->parsed()) return reflect_arguments.finish();
    if (targets->parsed()) return targets_arguments.finish();
    return probe_arguments.finish();
}

}  // namespace latmon::loadgen
