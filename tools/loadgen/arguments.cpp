// SPDX-License-Identifier: Apache-2.0
//
// See arguments.hpp. CLI11 does the work and is seen nowhere else.
#include "loadgen/arguments.hpp"

#include "base/limits.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <limits>

namespace latmon::loadgen {
namespace {

const CLI::Range port_range(1, 65'535);
const CLI::Range count_range(1, 1'000'000);
const CLI::Range size_range(static_cast<int>(limits::stamp_base_bytes),
                            static_cast<int>(limits::probe_bytes_max));
const CLI::Range percent_range(0.0, 100.0);
const CLI::Range seconds_range(0.001, 86'400.0);
const CLI::Range timeout_range(0.001, 60.0);
const CLI::Range delay_us_range(0, 60'000'000);
const CLI::Range batch_range(1, 1'024);

// What CLI11 writes to, where it differs from what we return.
struct Destinations {
    ReflectOptions reflect;
    TargetsOptions targets;
    ProbeOptions probe;
    double loss_percent = 0;
    std::int64_t delay_us = 0;
    std::int64_t jitter_us = 0;
    std::string protocol = "udp";
};

void add_reflect(CLI::App& app, Destinations& to) {
    ReflectOptions& options = to.reflect;
    app.add_option("--count", options.target_count, "Targets, an address each")
        ->required()
        ->check(count_range);
    app.add_option("--port", options.udp_port, "UDP port")->required()->check(port_range);
    app.add_option("--tcp-port", options.tcp_port, "TCP port; none if not given")
        ->check(port_range);
    app.add_option("--base", options.base, "The address before the first target's");
    CLI::Option* const loss =
        app.add_option("--loss", to.loss_percent, "Percent lost on purpose, each way")
            ->check(percent_range);
    app.add_option("--loss-forward", options.link.loss_forward_percent, "Only on the way there")
        ->check(percent_range)
        ->excludes(loss);
    app.add_option("--loss-reverse", options.link.loss_reverse_percent, "Only on the way back")
        ->check(percent_range)
        ->excludes(loss);
    app.add_option("--delay-us", to.delay_us, "Simulated delay, each way")->check(delay_us_range);
    app.add_option("--jitter-us", to.jitter_us, "Up to this much more, each way, at random")
        ->check(delay_us_range);
    app.add_option("--seed", options.link.seed, "Of all chance");
    app.add_option("--threads", options.threads, "For UDP")->check(CLI::Range(1, 256));
    app.add_option("--batch", options.batch, "Datagrams answered together")->check(batch_range);
    app.add_option("--seconds", options.seconds, "How long")->check(seconds_range);
    app.add_flag("--json", options.json, "Print the accounts as one JSON object");
    app.add_flag("--quiet", options.quiet, "No line a second on stderr");
}

void add_targets(CLI::App& app, Destinations& to) {
    TargetsOptions& options = to.targets;
    app.add_option("--count", options.target_count, "Targets")->required()->check(count_range);
    app.add_option("--port", options.port, "Their UDP port")->required()->check(port_range);
    app.add_option("--interval", options.interval_ms, "Milliseconds between probes of a target")
        ->required()
        ->check(CLI::Range(0.1, 86'400'000.0));
    app.add_option("--timeout", options.timeout_s, "Seconds")->check(timeout_range);
    app.add_option("--base", options.base, "The address before the first target's");
    app.add_option("--exporter", options.exporter, "null or cli")
        ->check(CLI::IsMember({"null", "cli"}));
    app.add_option("--size", options.size_bytes, "Octets of a probe")->check(size_range);
    app.add_option("--name", options.name, "The latmon's name")
        ->check(CLI::Validator(
            [](const std::string& name) {
                // Anything else would have to be escaped in TOML.
                const bool is_plain = name.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789._-") == std::string::npos;
                return is_plain ? "" : "write letters, digits, '.', '_' and '-'";
            },
            "NAME"));
    app.add_option("--latmon-udp-port", options.latmon_udp_port, "What the latmon listens on")
        ->check(port_range);
    app.add_option("--latmon-tcp-port", options.latmon_tcp_port, "What the latmon listens on")
        ->check(port_range);
}

void add_probe(CLI::App& app, Destinations& to) {
    ProbeOptions& options = to.probe;
    app.add_option("--target", options.host, "Address or name of the reflector")->required();
    app.add_option("--port", options.port, "Its port")->required()->check(port_range);
    app.add_option("--protocol", to.protocol, "udp or tcp")->check(CLI::IsMember({"udp", "tcp"}));
    app.add_option("--senders", options.sender_count,
                   "Sessions; a latmon knows 16,384 per core and forgets them after 15 minutes")
        ->check(count_range);
    app.add_option("--rate", options.rate_per_s, "Probes a second, of all senders together")
        ->check(CLI::Range(1, 100'000'000));
    app.add_option("--size", options.size_bytes, "Octets of a probe")->check(size_range);
    app.add_option("--seconds", options.seconds, "How long")->check(seconds_range);
    app.add_option("--timeout", options.timeout_s, "Seconds after which a probe is lost")
        ->check(timeout_range);
    app.add_option("--senders-per-socket", options.senders_per_socket,
                   "UDP: senders that share a socket and differ by SSID")
        ->check(CLI::Range(1, 65'535));
    app.add_option("--batch", options.batch, "Probes sent together when several are due")
        ->check(batch_range);
    app.add_option("--late-limit-us", options.late_limit_us,
                   "A slot later than this is missed: counted, not sent")
        ->check(CLI::Range(1.0, 1e6));
    app.add_flag("--spin", options.spin, "Never sleep: a whole CPU for the least lateness");
    app.add_flag("--json", options.json, "Print the accounts as one JSON object");
}

std::unexpected<Error> usage_error(std::string_view text) {
    return fail(ExitCode::usage, fmt::format("{}; see loadgen --help", text));
}

Result<Command> finish_reflect(Destinations& from, bool has_loss) {
    LinkOptions& link = from.reflect.link;
    if (has_loss) link.loss_forward_percent = link.loss_reverse_percent = from.loss_percent;
    link.delay = Duration::from_us(from.delay_us);
    link.jitter = Duration::from_us(from.jitter_us);
    return from.reflect;
}

Result<Command> finish_probe(Destinations& from) {
    ProbeOptions& options = from.probe;
    options.is_tcp = from.protocol == "tcp";
    if (options.late_limit_us > options.timeout_s * 1e6) {
        return usage_error("--late-limit-us is longer than --timeout");
    }
    const double per_sender =
        static_cast<double>(options.rate_per_s) * options.seconds / options.sender_count;
    if (per_sender > std::numeric_limits<std::uint32_t>::max()) {
        return usage_error("a sender has 2^32 sequence numbers; ask for more --senders");
    }
    return options;
}

}  // namespace

Result<Command> parse_arguments(int argc, const char* const* argv) {
    CLI::App app("A load for one latmon, on loopback or in a namespace.", "loadgen");
    app.require_subcommand(1);
    app.option_defaults()->always_capture_default();
    Destinations to;
    CLI::App* const reflect = app.add_subcommand("reflect", "Simulate targets that answer");
    CLI::App* const targets = app.add_subcommand("targets", "Print a configuration for latmon");
    CLI::App* const probe = app.add_subcommand("probe", "Probe a reflector at a given rate");
    add_reflect(*reflect, to);
    add_targets(*targets, to);
    add_probe(*probe, to);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return HelpText{app.help()};
    } catch (const CLI::ParseError& error) {
        return usage_error(error.what());
    }
    if (reflect->parsed()) return finish_reflect(to, reflect->count("--loss") > 0);
    if (targets->parsed()) return to.targets;
    return finish_probe(to);
}

}  // namespace latmon::loadgen
