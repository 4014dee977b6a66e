// SPDX-License-Identifier: Apache-2.0
//
// See arguments_ping.hpp.
#include "daemon/arguments_ping.hpp"

#include "daemon/ping_plan.hpp"

#include <array>

namespace latmon {
namespace {

constexpr std::string_view examples = R"(Examples:
  Is there a reflector, and how far away is it?
    latmon ping router.example

  A thousand probes, one a millisecond, percentiles only:
    latmon ping -q -c 1000 -i 1 192.0.2.20

  For a script, against a TWAMP-Light reflector on another port:
    latmon ping --json --twamp-light [2001:db8::1]:4000

Exit codes: 0 at least one reply, 1 none, 2 it could not be done.)";

// Every value is kept for the percentiles: a run that never ends is the daemon's.
constexpr IntegerRange count_range{1, 1'000'000, "probes"};

template <std::size_t count, typename Meaning>
void set_word(const std::array<Word<Meaning>, count>& words, const std::string& text, Meaning& to) {
    const std::optional<std::size_t> index = find_word(text, texts_of(words));
    if (index) to = words[*index].meaning;
}

void add_probes(CLI::App& ping, PingFlags& to) {
    ping.add_option("-p,--port", to.options.port, "UDP port, with --tcp TCP port (862)")
        ->check(integer_check(port_range))
        ->type_name("PORT");
    ping.add_option("-c,--count", to.options.count, "How many probes (10)")
        ->check(integer_check(count_range))
        ->type_name("COUNT");
    ping.add_option("-i,--interval", to.interval_ms, "Milliseconds between probes (1000)")
        ->check(duration_check(interval_range))
        ->type_name("MSECONDS");
    ping.add_option("-s,--size", to.options.size_bytes,
                    "Size of a probe in octets (what packet and TLVs take)")
        ->check(integer_check(size_range))
        ->type_name("OCTETS");
    ping.add_option("-W,--timeout", to.timeout_s, "Seconds after which a probe counts as lost (1)")
        ->check(duration_check(timeout_range))
        ->type_name("SECONDS");
}

void add_packets(CLI::App& ping, PingFlags& to) {
    static constexpr std::array<std::string_view, 2> formats = texts_of(timestamp_format_words);
    const std::string group = "Packets";
    ping.add_flag("--tcp", to.options.is_tcp, "Over one kept TCP connection, to a latmon")
        ->group(group);
    ping.add_flag("--twamp-light", to.is_twamp_light, "To a reflector that knows no STAMP")
        ->group(group);
    ping.add_option("--key-file", to.options.key_file, "Authenticated, with the key in this file")
        ->type_name("FILE")
        ->group(group);
    ping.add_option("--dscp", to.dscp, "Traffic class (0)")
        ->check(integer_check(dscp_range))
        ->type_name("DSCP")
        ->group(group);
    ping.add_option("--timestamp-format", to.timestamp_format, "ntp (default) or ptp")
        ->check(word_check(formats))
        ->type_name("FORMAT")
        ->group(group);
}

void add_host(CLI::App& ping, PingFlags& to) {
    static constexpr std::array<std::string_view, 4> policies = texts_of(stamp_policy_words);
    static constexpr std::array<std::string_view, 3> precisions = texts_of(precision_words);
    const std::string group = "This host";
    ping.add_flag("-4", to.is_ipv4, "IPv4 addresses only")->group(group);
    ping.add_flag("-6", to.is_ipv6, "IPv6 addresses only")->group(group)->excludes("-4");
    ping.add_option("--source", to.options.source, "Send from this address")
        ->type_name("ADDRESS")
        ->group(group);
    ping.add_option("--interface", to.options.interface, "Send through this interface")
        ->type_name("NAME")
        ->group(group);
    ping.add_option("--stamps", to.stamps, "auto (default), kernel, user or hardware")
        ->check(word_check(policies))
        ->type_name("WHO")
        ->group(group);
    ping.add_option("--precision", to.precision, "power, balanced (default) or spin")
        ->check(word_check(precisions))
        ->type_name("HOW")
        ->group(group);
}

}  // namespace

void add_ping(CLI::App& app, PingFlags& to) {
    CLI::App& ping = *app.add_subcommand("ping", "Send a few probes to a reflector, and sum up");
    to.command = &ping;
    ping.set_help_flag("-h,--help", "Print this help and exit");
    ping.footer(std::string(examples));
    ping.add_option("HOST", to.host, "Name or address, with :PORT if you like")
        ->required()
        ->type_name(" ");
    add_probes(ping, to);
    add_packets(ping, to);
    add_host(ping, to);
    ping.add_flag("--json", to.options.is_json, "Print one JSON object instead")->group("Output");
    ping.add_flag("-q,--quiet", to.options.is_quiet, "No line per probe")->group("Output");
}

Result<PingOptions> finish_ping(const PingFlags& from) {
    PingOptions options = from.options;
    const Result<HostAndPort> host = split_host(from.host);
    if (!host) return std::unexpected(host.error());
    if (host->port && from.command->count("--port") > 0) {
        return fail(ExitCode::usage, "the port stands behind the host and in --port; keep one");
    }
    options.host = host->host;
    if (host->port) options.port = *host->port;
    if (from.command->count("--interval") > 0) {
        options.interval = *to_duration(from.interval_ms, interval_range);
    }
    if (from.command->count("--timeout") > 0) {
        options.timeout = *to_duration(from.timeout_s, timeout_range);
    }
    options.dscp = static_cast<std::uint8_t>(from.dscp);
    if (from.is_twamp_light) options.protocol = ProbeProtocol::twamp_light;
    if (from.is_ipv4) options.family = AddressFamily::ipv4;
    if (from.is_ipv6) options.family = AddressFamily::ipv6;
    set_word(timestamp_format_words, from.timestamp_format, options.timestamp_format);
    set_word(stamp_policy_words, from.stamps, options.stamps);
    set_word(precision_words, from.precision, options.precision);
    if (std::string fault = fault_of(options); !fault.empty()) {
        return fail(ExitCode::usage, std::move(fault));
    }
    return options;
}

}  // namespace latmon
