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

ReflectArguments::ReflectArguments(CLI::App& app) : app_(app) {
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
    const std::map<std::string, JitterShape> shapes{{"uniform", JitterShape::uniform},
                                                    {"normal", JitterShape::normal},
                                                    {"exponential", JitterShape::exponential},
                                                    {"heavy-tail", JitterShape::heavy_tail}};
    LinkOptions& link = options_.link;
    app_.add_option("--loss", loss_percent_, "Percent lost on purpose, each way")
        ->check(percent_range);
    app_.add_option("--loss-forward", link.forward.loss_percent, "Only on the way there")
        ->check(percent_range)
        ->excludes("--loss");
    app_.add_option("--loss-reverse", link.reverse.loss_percent, "Only on the way back")
        ->check(percent_range)
        ->excludes("--loss");
    app_.add_option("--loss-burst", loss_burst_, "Packets of a target lost in a row, on average")
        ->check(CLI::Range(1.0, 1e6));
    app_.add_option("--delay-us", delay_us_, "Simulated delay, each way")->check(us_range);
    app_.add_option("--delay-forward-us", delay_forward_us_, "Only on the way there")
        ->check(us_range)
        ->excludes("--delay-us");
    app_.add_option("--delay-reverse-us", delay_reverse_us_, "Only on the way back")
        ->check(us_range)
        ->excludes("--delay-us");
    app_.add_option("--jitter-us", jitter_us_, "More delay at random, each way, in order")
        ->check(us_range);
    app_.add_option("--jitter-shape", jitter_shape_,
                    "uniform: 0 to that; normal: its deviation; exponential, heavy-tail: its mean")
        ->transform(CLI::CheckedTransformer(shapes))
        ->default_str("uniform");
    app_.add_option("--reorder", link.reverse.reorder_percent, "Percent of replies held up")
        ->check(percent_range);
    app_.add_option("--reorder-by-us", reorder_by_us_, "For how long, so that others pass them")
        ->check(us_range);
    app_.add_option("--duplicate", link.reverse.duplicate_percent, "Percent of replies sent twice")
        ->check(percent_range);
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

Result<Command> ReflectArguments::finish() {
    if (options_.udp_port == 0 && options_.tcp_port == 0) {
        return usage_error("--port or --tcp-port is needed");
    }
    if (options_.packets == PacketKind::ancestor && !options_.key_file.empty()) {
        return usage_error("latency-monitor's packets have no key");
    }
    LinkOptions& link = options_.link;
    if (app_.count("--loss") > 0) {
        link.forward.loss_percent = link.reverse.loss_percent = loss_percent_;
    }
    for (DirectionOptions* way : {&link.forward, &link.reverse}) {
        const double loss = way->loss_percent;
        if (loss_burst_ > 0 && loss < 100 && loss_burst_ < loss_burst_min(loss)) {
            return usage_error(fmt::format("{} % lost takes a --loss-burst of {:.3f} or more", loss,
                                           loss_burst_min(loss)));
        }
        way->loss_burst = loss_burst_;
        way->jitter = Duration::from_us(jitter_us_);
        way->jitter_shape = jitter_shape_;
        way->bits_per_s = static_cast<std::uint64_t>(bit_rate_kbit_ * 1'000);
        way->queue_max = Duration::from_us(queue_us_);
    }
    link.forward.delay = Duration::from_us(delay_us_ + delay_forward_us_);
    link.reverse.delay = Duration::from_us(delay_us_ + delay_reverse_us_);
    link.reverse.reorder_by = Duration::from_us(reorder_by_us_);
    if (outage_s_ >= outage_period_s_) {
        return usage_error("--outage-s is no shorter than --outage-period-s");
    }
    link.outages.length = of_seconds(outage_s_);
    link.outages.period = of_seconds(outage_period_s_);
    options_.spin_last = Duration::from_us(timer_.spin_last_us);
    options_.trust_lateness = Duration::from_us(timer_.trust_us);
    return options_;
}

}  // namespace latmon::loadgen
