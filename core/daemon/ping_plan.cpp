// SPDX-License-Identifier: Apache-2.0
//
// See ping_plan.hpp.
#include "daemon/ping_plan.hpp"

#include "config/mistakes.hpp"
#include "config/probe_size.hpp"
#include "config/ranges.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>

namespace latmon {
namespace {

// One socket from the first probe to the last: another would be another path.
constexpr std::uint32_t never_reopen = 1'000'000;

std::unexpected<Error> refuse(std::string text) {
    return fail(ExitCode::usage, std::move(text));
}

TargetConfig target_of(const PingOptions& options, const Endpoint& address) {
    TargetConfig target;
    target.host = to_string(address.address);
    target.label = options.host;
    target.udp = !options.is_tcp;
    target.tcp = options.is_tcp;
    target.tcp_latency = false;
    target.udp_port = target.tcp_port = address.port;
    target.size_bytes = options.size_bytes;
    target.interval = options.interval;
    target.timeout = options.timeout;
    target.max_lost = never_reopen;
    target.source = options.source;
    target.interface = options.interface;
    target.dscp = options.dscp;
    target.protocol = options.protocol;
    target.timestamp_format = options.timestamp_format;
    target.key_file = options.key_file;
    target.descriptor = false;  // A name and tags are a daemon's; ours go to nobody.
    return target;
}

}  // namespace

Result<HostAndPort> split_host(std::string_view text) {
    std::expected<HostAndPort, HostPortFault> split = split_host_port(text);
    if (split) return *std::move(split);
    switch (split.error()) {
        case HostPortFault::brackets:
            return refuse(fmt::format("{} is no address; write [ADDRESS]:PORT", in_quotes(text)));
        case HostPortFault::no_host:
            return refuse("the host is empty; write an address or a name");
        case HostPortFault::port:
            break;
    }
    return refuse(fmt::format("{} does not fit; write {}",
                              in_quotes(text.substr(text.rfind(':') + 1)), describe(port_range)));
}

std::string fault_of(const PingOptions& options) {
    const bool is_twamp = options.protocol == ProbeProtocol::twamp_light;
    if (is_twamp && options.is_tcp) return "--twamp-light goes over UDP; leave --tcp out";
    if (is_twamp && !options.key_file.empty()) {
        return "--key-file does not go with --twamp-light, whose authentication is another one; "
               "leave one of them out";
    }
    const ProbeShape shape = shape_of(target_of(options, {}));
    const std::uint32_t least = probe_bytes_min(shape);
    const bool fits = options.size_bytes == 0 || (options.size_bytes >= least &&
                                                  options.size_bytes <= limits::probe_bytes_max);
    if (!fits) {
        return fmt::format("--size: {} octets do not fit; such a probe takes {} to {}",
                           options.size_bytes, least, limits::probe_bytes_max);
    }
    if (!options.source.empty() && !parse_endpoint(options.source, 0)) {
        return fmt::format("--source: {} is no address; write one of this host's",
                           in_quotes(options.source));
    }
    return "";
}

Result<Plan> make_ping_plan(const PingOptions& options, const Endpoint& target, std::uint32_t cpu) {
    if (std::string fault = fault_of(options); !fault.empty()) return refuse(std::move(fault));
    const std::optional<Endpoint> source = parse_endpoint(options.source, 0);
    if (source && is_ipv4(source->address) != is_ipv4(target.address)) {
        return refuse(fmt::format(
            "--source {} and {} are not of one family; write an {} source, "
            "or leave it to the kernel",
            options.source, to_string(target.address), is_ipv4(target.address) ? "IPv4" : "IPv6"));
    }
    Config config;
    config.name = "ping";
    config.listen_addresses.clear();
    config.precision = options.precision;
    config.stamps = options.stamps;
    config.node_interval = Duration{};
    config.clock.has_series = false;
    config.targets.push_back(target_of(options, target));
    const std::array<std::uint32_t, 1> cpus{cpu};
    Result<Plan> plan = make_plan(config, cpus);
    if (!plan) return refuse(plan.error().text);
    plan->warnings.clear();  // That nothing listens is what was asked for.
    ProbePlan& probe = plan->cores.front().probes.front();
    probe.phase = Duration{};
    probe.probes_max = options.count;
    probe.address = target;  // With the interface of a link-local one.
    return plan;
}

}  // namespace latmon
