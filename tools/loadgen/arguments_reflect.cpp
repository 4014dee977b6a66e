// SPDX-License-Identifier: Apache-2.0
//
// The options of `loadgen reflect`, and what does not go together among them; see arguments.hpp.
// Main thread only.
#include "loadgen/arguments_common.hpp"

#include <cmath>

namespace latmon::loadgen {
namespace {

Duration of_seconds(double seconds) {
    return Duration{std::llround(seconds * 1e9)};
}

}  // namespace

ReflectArguments::ReflectArguments(CLI::App& app) : app_(app), link_(app) {
    app.add_option("--count", options_.target_count, "Targets, an address each")
        ->required()
        ->check(count_range);
    app.add_option("--port", options_.udp_port, "UDP port; none if not given")->check(port_range);
    app.add_option("--tcp-port", options_.tcp_port, "TCP port; none if not given")
        ->check(port_range);
    app.add_option("--base", options_.base, "The address before the first target's, v4 or v6");
    add_packets(app, options_.packets, options_.key_file);
    add_link();
    app.add_option("--seed", options_.link.seed, "Of all chance");
    app.add_option("--threads", options_.threads, "For UDP")->check(CLI::Range(1, 256));
    app.add_option("--batch", options_.batch, "Datagrams answered together")->check(batch_range);
    app.add_option("--cpu", options_.cpus, "CPUs for the threads in turn, such as 0,1")
        ->delimiter(',')
        ->check(cpu_range);
    add_timer(app, timer_, options_.spin);
    app.add_option("--seconds", options_.seconds, "How long")->check(seconds_range);
    app.add_flag("--json", options_.json, "Print the accounts as one JSON object");
    app.add_flag("--quiet", options_.quiet, "No line a second on stderr");
}

void ReflectArguments::add_link() {
    LinkOptions& link = options_.link;
    app_.add_option("--loss", loss_percent_, "Percent lost on purpose, each way")
        ->check(percent_range);
    app_.add_option("--loss-forward", link.forward.loss_percent, "Only on the way there")
        ->check(percent_range)
        ->excludes("--loss");
    app_.add_option("--loss-reverse", link.reverse.loss_percent, "Only on the way back")
        ->check(percent_range)
        ->excludes("--loss");
    link_.add("replies");
    app_.add_option("--delay-us", delay_us_, "Simulated delay, each way")->check(us_range);
    app_.add_option("--delay-forward-us", delay_forward_us_, "Only on the way there")
        ->check(us_range)
        ->excludes("--delay-us");
    app_.add_option("--delay-reverse-us", delay_reverse_us_, "Only on the way back")
        ->check(us_range)
        ->excludes("--delay-us");
    app_.add_option("--bit-rate-kbit", bit_rate_kbit_, "Of each target, each way; not given: none")
        ->check(CLI::Range(1.0, 1e9));
    app_.add_option("--queue-us", queue_us_, "Packets that would wait longer for it are dropped")
        ->check(us_range);
    app_.add_option("--outage-s", outage_s_, "Each target is away so long in every period")
        ->check(CLI::Range(0.001, 86'400.0));
    app_.add_option("--outage-period-s", outage_period_s_, "The period")->check(seconds_range);
    app_.add_option("--outage-share", link.outages.share_percent, "Percent of targets that do so")
        ->check(percent_range);
}

// That options go together, once losses are known.
Result<void> ReflectArguments::check() const {
    if (options_.udp_port == 0 && options_.tcp_port == 0) {
        return usage_error("--port or --tcp-port is needed");
    }
    if (options_.packets == PacketKind::ancestor && !options_.key_file.empty()) {
        return usage_error("latency-monitor's packets have no key");
    }
    if (app_.count("--queue-us") > 0 && bit_rate_kbit_ == 0) {
        return usage_error("--queue-us without a bit rate does nothing; add --bit-rate-kbit");
    }
    for (const char* const name : {"--outage-period-s", "--outage-share"}) {
        if (app_.count(name) > 0 && outage_s_ == 0) {
            return usage_error(fmt::format("{} without --outage-s does nothing; add it", name));
        }
    }
    if (outage_s_ >= outage_period_s_) {
        return usage_error("--outage-s is no shorter than --outage-period-s");
    }
    const LinkOptions& link = options_.link;
    const Result<void> checked =
        link_.check({link.forward.loss_percent, link.reverse.loss_percent});
    if (!checked || options_.udp_port != 0) return checked;
    return link_.check_stream("add --port");
}

Result<Command> ReflectArguments::finish() {
    LinkOptions& link = options_.link;
    if (app_.count("--loss") > 0) {
        link.forward.loss_percent = link.reverse.loss_percent = loss_percent_;
    }
    const Result<void> checked = check();
    if (!checked) return std::unexpected(checked.error());
    for (DirectionOptions* way : {&link.forward, &link.reverse}) {
        link_.apply(*way);
        way->bits_per_s = static_cast<std::uint64_t>(bit_rate_kbit_ * 1'000);
        way->queue_max = Duration::from_us(queue_us_);
    }
    link.forward.delay = Duration::from_us(delay_us_ + delay_forward_us_);
    link.reverse.delay = Duration::from_us(delay_us_ + delay_reverse_us_);
    link.forward.reorder_percent = link.forward.duplicate_percent = 0;  // Replies alone.
    link.outages.length = of_seconds(outage_s_);
    link.outages.period = of_seconds(outage_period_s_);
    options_.spin_last = Duration::from_us(timer_.spin_last_us);
    options_.trust_lateness = Duration::from_us(timer_.trust_us);
    return options_;
}

}  // namespace latmon::loadgen
