// SPDX-License-Identifier: Apache-2.0
//
// See probe.hpp. One thread: fire what is due, read what came, wait for the next departure. RTT is
// the time from send to reply by CLOCK_MONOTONIC_RAW, stamped in user space next to the system
// calls, less the reflector's own time T3 - T2, if it tells that.
#include "loadgen/probe.hpp"

#include "loadgen/address_list.hpp"
#include "loadgen/departures.hpp"
#include "loadgen/key.hpp"
#include "loadgen/ledger.hpp"
#include "loadgen/link_report.hpp"
#include "loadgen/process.hpp"
#include "loadgen/report.hpp"
#include "loadgen/sockets.hpp"
#include "loadgen/transport.hpp"
#include "loadgen/trust.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <utility>

namespace latmon::loadgen {
namespace {

// From the last preparation to the first slot.
constexpr Duration head_start = Duration::from_ms(10);
constexpr Duration wait_max = Duration::from_ms(50);  // So that a stop is seen.
constexpr std::uint64_t capacity_min = 4'096;
// Lest targets with the same seed lose the packets that come through.
constexpr std::uint64_t seed_of_senders = 0x5365'6e64'6572'7321;

Duration from_seconds(double seconds) {
    return Duration{std::llround(seconds * 1e9)};
}

// Slots within twice the time from a slot to its probe's timeout: one that may be in flight, one in
// which a late reply is still known.
std::uint64_t ledger_capacity(const ProbeOptions& options) {
    const double slots = 2 * static_cast<double>(options.rate_per_s) *
                         (seconds_open(options) + options.late_limit_us / 1e6);
    return static_cast<std::uint64_t>(slots) + capacity_min;
}

class Prober final : ReplySink {
public:
    Prober(const ProbeOptions& options, Transport& transport)
        : options_(options),
          transport_(transport),
          late_limit_(Duration{std::llround(options.late_limit_us * 1e3)}),
          timeout_(from_seconds(options.timeout_s)),
          slot_count_(static_cast<std::uint64_t>(
              std::ceil(static_cast<double>(options.rate_per_s) * options.seconds))),
          // It needs to know who sends what and not when, and may take long to be made.
          ledger_(SlotGrid(Instant{}, options.rate_per_s, options.sender_count), timeout_,
                  ledger_capacity(options)),
          link_(options.link, options.sender_count, options.seed ^ seed_of_senders),
          grid_(clock_.now() + head_start, options.rate_per_s, options.sender_count),
          departures_(grid_, slot_count_, link_) {
        shots_.reserve(options.batch);
    }

    void run();
    void describe(Report& report, Trust& trust) const;
    [[nodiscard]] bool is_balanced() const noexcept;
    [[nodiscard]] bool has_flowed() const noexcept { return ledger_.counts().answered > 0; }

private:
    void on_reply(const Arrived& reply) override;
    void fire();
    void prepare(const Departure& departure, Instant now);
    void settle(const Shot& shot);
    void drain();
    [[nodiscard]] Duration wait_time() const noexcept;

    ProbeOptions options_;
    Transport& transport_;
    OsClock clock_;
    Duration late_limit_;
    Duration timeout_;
    std::uint64_t slot_count_;
    Ledger ledger_;
    LinkDirection link_;
    SlotGrid grid_;
    Departures departures_;
    std::vector<Shot> shots_;
    Duration elapsed_;
    std::uint64_t impossible_turnarounds_ = 0;
    std::uint64_t unstamped_replies_ = 0;  // Nobody knows how late we read them.
    Histogram round_trip_;
    Histogram rtt_;
    Histogram rtt_to_kernel_;
    Histogram turnaround_;
    Histogram send_lateness_;
    Histogram read_lateness_;
};

// -- Running --------------------------------------------------------------------------------------

void Prober::run() {
    while (!departures_.is_over() && !stop_requested()) {
        fire();
        transport_.receive(wait_time(), *this);
    }
    // To the end of the last slot, so that the rate comes out as asked if none was missed.
    elapsed_ = std::max(clock_.now(), grid_.deadline(ledger_.counts().slots)) - grid_.origin();
    drain();
}

// Everything that is due, up to a batch; what is too late for sending is passed over.
void Prober::fire() {
    const Instant now = clock_.now();
    const RawInstant raw_now = clock_.raw_now();
    shots_.clear();
    while (shots_.size() < options_.batch) {
        ledger_.expire(raw_now);
        const std::optional<Departure> departure = departures_.take(now);
        if (!departure) break;
        prepare(*departure, now);
    }
    if (shots_.empty()) return;
    transport_.send(shots_);
    for (const Shot& shot : shots_) {
        settle(shot);
    }
}

void Prober::prepare(const Departure& departure, Instant now) {
    if (departure.is_lost) {
        ledger_.on_lost_on_purpose(departure.slot);
        return;
    }
    if (now - departure.due > late_limit_) {
        ledger_.on_missed(departure.slot);
        return;
    }
    Shot& shot = shots_.emplace_back();
    shot.slot = departure.slot;
    shot.sender = grid_.sender(departure.slot);
    shot.sequence = grid_.sequence(departure.slot);
    shot.due = departure.due;
    shot.is_doubled = departure.is_doubled;
}

void Prober::settle(const Shot& shot) {
    if (shot.error_number != 0) {
        ledger_.on_send_error(shot.slot);
        return;
    }
    ledger_.on_sent(shot.slot, shot.t1, shot.raw_sent_at);
    send_lateness_.record(shot.sent_at - shot.due);
}

Duration Prober::wait_time() const noexcept {
    if (options_.spin || departures_.is_over()) return Duration{};
    const Duration left = departures_.next_due() - clock_.now() - options_.spin_last;
    return std::clamp(left, Duration{}, wait_max);
}

void Prober::drain() {
    ledger_.abandon_waiting();
    while (ledger_.in_flight() > 0) {
        transport_.receive(Duration::from_ms(1), *this);
        ledger_.expire(clock_.raw_now());
    }
}

void Prober::on_reply(const Arrived& reply) {
    const Duration read_lateness = std::max(reply.read_lateness.value_or(Duration{}), Duration{});
    if (reply.read_lateness) {
        read_lateness_.record(read_lateness);
    } else {
        ++unstamped_replies_;
    }
    if (!reply.echo) {
        ledger_.on_invalid();
        return;
    }
    const std::optional<Duration> elapsed =
        ledger_.on_reply(reply.sender, *reply.echo, reply.raw_at);
    if (!elapsed) return;
    const Duration turnaround = reply.echo->turnaround.value_or(Duration{});
    if (turnaround < Duration{} || turnaround > *elapsed) {
        ++impossible_turnarounds_;
        return;
    }
    if (reply.echo->turnaround) turnaround_.record(turnaround);
    const Duration rtt = *elapsed - turnaround;
    round_trip_.record(*elapsed);
    rtt_.record(rtt);
    if (reply.read_lateness) rtt_to_kernel_.record(std::max(rtt - read_lateness, Duration{}));
}

// -- Telling --------------------------------------------------------------------------------------

bool Prober::is_balanced() const noexcept {
    const LedgerCounts& counts = ledger_.counts();
    return counts.slots == counts.sent + counts.missed + counts.send_errors +
                               counts.lost_on_purpose + counts.left_waiting &&
           counts.sent == counts.answered + counts.lost &&
           counts.answered == rtt_.count() + impossible_turnarounds_ &&
           counts.replies == counts.answered + counts.late + counts.duplicates + counts.invalid;
}

void Prober::describe(Report& report, Trust& trust) const {
    const LedgerCounts& counts = ledger_.counts();
    const double elapsed_s = static_cast<double>(elapsed_.ns) / 1e9;
    report.add("elapsed_s", elapsed_s);
    report.add("asked_packets_per_s", options_.rate_per_s);
    report.add("sent_packets_per_s", static_cast<double>(counts.sent) / elapsed_s);
    report.add("answered_packets_per_s", static_cast<double>(counts.answered) / elapsed_s);
    report.add("slots", counts.slots);
    report.add("missed_slots", counts.missed);
    report.add("send_errors", counts.send_errors);
    report.add("lost_on_purpose_packets", counts.lost_on_purpose);
    report.add("left_waiting_packets", counts.left_waiting);
    report.add("sent_packets", counts.sent);
    report.add("answered_packets", counts.answered);
    report.add("lost_packets", counts.lost);
    report.add("replies", counts.replies);
    report.add("late_replies", counts.late);
    report.add("duplicate_replies", counts.duplicates);
    report.add("invalid_replies", counts.invalid);
    report.add("impossible_turnarounds", impossible_turnarounds_);
    report.add("unstamped_replies", unstamped_replies_);
    transport_.describe(report, trust);
    report.add("round_trip", round_trip_);
    report.add("rtt", rtt_);
    report.add("rtt_to_kernel", rtt_to_kernel_);
    report.add("turnaround", turnaround_);
    report.add("own_send_lateness", send_lateness_);
    report.add("own_read_lateness", read_lateness_);
    trust.doubt_share("missed_slots", counts.missed, counts.slots);
    trust.doubt_lateness("own_send_lateness", send_lateness_);
    trust.doubt_lateness("own_read_lateness", read_lateness_);
    trust.doubt_share("unstamped_replies", unstamped_replies_, counts.replies);
    trust.doubt_flow(is_balanced(), counts.answered);
}

Result<std::unique_ptr<Transport>> open_transport(const ProbeOptions& options,
                                                  ProbeFormat& format) {
    const Result<Endpoint> target = find_target(options.host, options.port);
    if (!target) return std::unexpected(target.error());
    TransportOptions transport{.target = *target,
                               .sources = std::nullopt,
                               .sender_count = options.sender_count,
                               .senders_per_socket = options.senders_per_socket,
                               .batch = options.batch,
                               .is_framed = options.packets == PacketKind::stamp};
    if (!options.source_base.empty()) {
        const Result<AddressList> sources = AddressList::make(
            options.source_base, options.source_count, {.base = "--source", .count = "--sources"});
        if (!sources) return std::unexpected(sources.error());
        if (sources->is_ipv6() == is_ipv4(target->address)) {
            return fail(ExitCode::usage, "--source and --target are of two address families");
        }
        transport.sources = *sources;
    }
    return options.is_tcp ? open_tcp_transport(transport, format)
                          : open_udp_transport(transport, format);
}

std::unique_ptr<ProbeFormat> make_format(const ProbeOptions& options, const HmacKey* key) {
    if (options.packets == PacketKind::ancestor) {
        return make_ancestor_format(options.sizes_bytes, options.sender_count);
    }
    return make_stamp_format(
        {.sizes_bytes = options.sizes_bytes, .tlvs = options.tlvs, .key = key});
}

void describe_options(const ProbeOptions& options, Report& report) {
    report.add("v", std::uint64_t{1});
    report.add("mode", "probe");
    report.add("protocol", options.is_tcp ? "tcp" : "udp");
    report.add("packets", to_text(options.packets));
    report.add_truth("is_authenticated", !options.key_file.empty());
    report.add("target", options.host);
    report.add("port", std::uint64_t{options.port});
    report.add("senders", std::uint64_t{options.sender_count});
    report.add("sources", std::uint64_t{options.source_base.empty() ? 0 : options.source_count});
    report.add("sizes_bytes", options.sizes_bytes);
    report.add("loss_percent", options.link.loss_percent);
    describe_way(options.link, report);
    report.add("seed", options.seed);
    report.add("timeout_ns", std::optional(from_seconds(options.timeout_s)));
    report.add("batch", std::uint64_t{options.batch});
    report.add("cpus", options.cpu ? std::vector{*options.cpu} : std::vector<std::uint32_t>{});
    report.add_truth("is_spinning", options.spin);
    report.add("spin_last_ns", std::optional(options.spin_last));
}

}  // namespace

Result<bool> run_probe(const ProbeOptions& options) {
    refuse_timer_slack();
    if (options.cpu) {
        const Result<void> pinned = pin_to_cpu(*options.cpu);
        if (!pinned) return std::unexpected(pinned.error());
    }
    Result<std::optional<HmacKey>> key = read_key(options.key_file);
    if (!key) return std::unexpected(key.error());
    const std::unique_ptr<ProbeFormat> format = make_format(options, *key ? &**key : nullptr);
    const Result<std::unique_ptr<Transport>> transport = open_transport(options, *format);
    if (!transport) return std::unexpected(transport.error());
    Prober prober(options, **transport);
    prober.run();
    const bool is_good = prober.is_balanced() && prober.has_flowed();
    Report report;
    Trust trust(options.trust_lateness);
    describe_options(options, report);
    prober.describe(report, trust);
    report.add("own_cpu_ns", std::optional(cpu_time()));
    trust.describe(report);
    report.add_truth("is_interrupted", stop_requested());
    report.add_truth("is_balanced", prober.is_balanced());
    fmt::print("{}", options.json ? report.as_json() : report.as_text());
    return is_good;
}

}  // namespace latmon::loadgen
