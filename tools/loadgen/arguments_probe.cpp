// SPDX-License-Identifier: Apache-2.0
//
// The options of `loadgen probe`, and what does not go together among them; see arguments.hpp.
// Main thread only.
#include "loadgen/arguments_common.hpp"
#include "wire/ancestor.hpp"
#include "wire/auth.hpp"

#include <algorithm>
#include <limits>

namespace latmon::loadgen {
namespace {

const std::map<std::string, TlvSet> tlv_names{{"exchange", tlv_set::exchange},
                                              {"follow_up", tlv_set::follow_up},
                                              {"timestamp_info", tlv_set::timestamp_info},
                                              {"class_of_service", tlv_set::class_of_service},
                                              {"direct_measurement", tlv_set::direct_measurement},
                                              {"location", tlv_set::location},
                                              {"access_report", tlv_set::access_report}};

// Probes that may be in flight: 40 octets each, twice.
constexpr double in_flight_max = 10'000'000;

}  // namespace

ProbeArguments::ProbeArguments(CLI::App& app) : app_(app), link_(app) {
    app.add_option("--target", options_.host, "Address or name of the reflector")->required();
    app.add_option("--port", options_.port, "Its port")->required()->check(port_range);
    app.add_option("--protocol", protocol_, "udp or tcp")->check(CLI::IsMember({"udp", "tcp"}));
    add_packets(app, options_.packets, options_.key_file);
    add_senders();
    app.add_option("--loss", options_.link.loss_percent,
                   "Percent of probes lost on purpose before they leave")
        ->check(percent_range);
    link_.add("probes");
    app.add_option("--seed", options_.seed, "Of all chance");
    app.add_option("--seconds", options_.seconds, "How long")->check(seconds_range);
    app.add_option("--timeout", options_.timeout_s, "Seconds after which a probe is lost")
        ->check(timeout_range);
    app.add_option("--batch", options_.batch, "Probes sent together when several are due")
        ->check(batch_range);
    app.add_option("--late-limit-us", options_.late_limit_us,
                   "A probe later than this is missed: counted, not sent")
        ->check(CLI::Range(1.0, 1e6));
    app.add_option("--cpu", cpu_, "The CPU to run on")->check(cpu_range);
    add_timer(app, timer_, options_.spin);
    app.add_flag("--json", options_.json, "Print the accounts as one JSON object");
}

void ProbeArguments::add_senders() {
    app_.add_option("--senders", options_.sender_count,
                    "Sessions; a latmon knows 16,384 per core and forgets them after 15 minutes")
        ->check(count_range);
    app_.add_option("--source", options_.source_base,
                    "The address before the first sender's own, v4 or v6");
    app_.add_option("--sources", options_.source_count, "How many such addresses, in turn")
        ->check(count_range)
        ->needs("--source");
    app_.add_option("--rate", options_.rate_per_s, "Probes a second, of all senders together")
        ->check(CLI::Range(1, 100'000'000));
    app_.add_option("--size", options_.sizes_bytes,
                    "Octets of a probe; several such as 44,1400: of the senders in turn")
        ->delimiter(',')
        ->check(size_range);
    app_.add_option("--tlvs", tlvs_, "TLVs by latmon's names for them, as many as the size holds")
        ->delimiter(',')
        ->check(CLI::IsMember(tlv_names));
    app_.add_option("--senders-per-socket", options_.senders_per_socket,
                    "UDP: senders that share a socket at most, and differ by SSID")
        ->check(CLI::Range(1, 65'535));
}

// That the simulated network can be had, once it is known.
Result<void> ProbeArguments::check_link() const {
    const Result<void> checked = link_.check({options_.link.loss_percent});
    if (!checked) return checked;
    if (options_.is_tcp) {
        const Result<void> streamed = link_.check_stream("take --protocol udp");
        if (!streamed) return streamed;
    }
    const double open_s = seconds_open(options_);
    if (static_cast<double>(options_.rate_per_s) * open_s > in_flight_max) {
        return usage_error(
            fmt::format("--rate times --timeout and the longest jitter, {:.3f} s together, is more "
                        "than ten million; ask for less",
                        open_s));
    }
    return {};
}

// A socket has one address, so that there are as many sockets as addresses that are to be seen.
void ProbeArguments::share_sources() {
    options_.source_count = std::min(options_.source_count, options_.sender_count);
    options_.senders_per_socket =
        std::min(options_.senders_per_socket, options_.sender_count / options_.source_count);
}

Result<Command> ProbeArguments::finish() {
    options_.is_tcp = protocol_ == "tcp";
    if (!options_.source_base.empty()) share_sources();
    if (app_.count("--cpu") > 0) options_.cpu = cpu_;
    options_.spin_last = Duration::from_us(timer_.spin_last_us);
    options_.trust_lateness = Duration::from_us(timer_.trust_us);
    for (const std::string& tlv : tlvs_) {
        options_.tlvs |= tlv_names.at(tlv);
    }
    if (options_.late_limit_us > options_.timeout_s * 1e6) {
        return usage_error("--late-limit-us is longer than --timeout");
    }
    link_.apply(options_.link);
    const Result<void> checked = check_link();
    if (!checked) return std::unexpected(checked.error());
    const double per_sender =
        static_cast<double>(options_.rate_per_s) * options_.seconds / options_.sender_count;
    if (per_sender > std::numeric_limits<std::uint32_t>::max()) {
        return usage_error("a sender has 2^32 sequence numbers; ask for more --senders");
    }
    if (options_.packets == PacketKind::ancestor) return finish_ancestor();
    if (!options_.key_file.empty()) {
        if (app_.count("--size") == 0) options_.sizes_bytes = {stamp_auth_base_bytes};
        if (std::ranges::min(options_.sizes_bytes) < stamp_auth_base_bytes) {
            return usage_error(
                fmt::format("with a key, --size is {} or more", stamp_auth_base_bytes));
        }
    }
    return options_;
}

// A reply says of whom it is by the socket, and of which probe by one of 101 numbers.
Result<Command> ProbeArguments::finish_ancestor() {
    if (!options_.key_file.empty() || !tlvs_.empty()) {
        return usage_error("latency-monitor's packets have neither key nor TLVs");
    }
    options_.senders_per_socket = 1;
    const double rate_max =
        (ancestor_sequences - 1) / seconds_open(options_) * options_.sender_count;
    if (static_cast<double>(options_.rate_per_s) > rate_max) {
        return usage_error(
            fmt::format("latency-monitor's packets have 101 numbers: with this --timeout and "
                        "jitter, {} senders make {} probes a second at most",
                        options_.sender_count, static_cast<std::uint64_t>(rate_max)));
    }
    return options_;
}

}  // namespace latmon::loadgen
