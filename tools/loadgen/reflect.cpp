// SPDX-License-Identifier: Apache-2.0
//
// See reflect.hpp. Threads are joined before anything they wrote but counters is read.
#include "loadgen/reflect.hpp"

#include "loadgen/key.hpp"
#include "loadgen/link_report.hpp"
#include "loadgen/process.hpp"
#include "loadgen/reflect_accounts.hpp"
#include "loadgen/reflect_tcp.hpp"
#include "loadgen/reflect_udp.hpp"
#include "loadgen/report.hpp"
#include "loadgen/sockets.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>

namespace latmon::loadgen {
namespace {

// One kept connection per target, and a handshake that is timed beside it.
constexpr std::uint64_t connections_per_target = 2;

struct Targets {
    std::vector<std::unique_ptr<UdpTargets>> udp;  // Empty: not asked for.
    std::unique_ptr<TcpTargets> tcp;               // Null: not asked for.

    [[nodiscard]] std::uint64_t sum(Counter UdpCounts::*member) const noexcept {
        std::uint64_t total = 0;
        for (const std::unique_ptr<UdpTargets>& targets : udp) {
            total += (targets->counts().*member).get();
        }
        return total;
    }
    [[nodiscard]] std::uint64_t sum(Counter TcpCounts::*member) const noexcept {
        return tcp ? (tcp->counts().*member).get() : 0;
    }
};

// -- Opening --------------------------------------------------------------------------------------

Result<std::unique_ptr<TcpTargets>> open_tcp_targets(const ReflectSetup& setup) {
    Result<Fd> listener =
        open_listener({.port = setup.options.tcp_port, .is_ipv6 = setup.addresses.is_ipv6()});
    if (!listener) return std::unexpected(listener.error());
    Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll.is_open()) return fail_errno(ExitCode::failure, "no epoll descriptor", errno);
    return std::make_unique<TcpTargets>(setup, std::move(*listener), std::move(epoll));
}

Result<Targets> open_targets(const ReflectSetup& setup) {
    const ReflectOptions& options = setup.options;
    const std::uint64_t connections =
        options.tcp_port == 0 ? 0 : connections_per_target * options.target_count;
    const Result<void> reserved = reserve_descriptors(options.threads + connections);
    if (!reserved) return std::unexpected(reserved.error());
    Targets targets;
    const std::uint32_t threads = options.udp_port == 0 ? 0 : options.threads;
    for (std::uint32_t index = 0; index < threads; ++index) {
        Result<Fd> socket =
            open_reflecting_udp({.port = options.udp_port, .is_ipv6 = setup.addresses.is_ipv6()});
        if (!socket) return std::unexpected(socket.error());
        targets.udp.push_back(std::make_unique<UdpTargets>(setup, std::move(*socket), index));
    }
    if (options.tcp_port != 0) {
        Result<std::unique_ptr<TcpTargets>> tcp = open_tcp_targets(setup);
        if (!tcp) return std::unexpected(tcp.error());
        targets.tcp = std::move(*tcp);
    }
    return targets;
}

// -- Running --------------------------------------------------------------------------------------

// A line a second on stderr, until `end` or a signal.
void show_progress(const Targets& targets, Instant start, Instant end) {
    const OsClock clock;
    std::uint64_t received_before = 0;
    for (Instant next = start + Duration::from_s(1); !stop_requested() && next <= end;
         next = next + Duration::from_s(1)) {
        while (!stop_requested() && clock.now() < next) {
            sleep_until(std::min(next, clock.now() + Duration::from_ms(100)));
        }
        const std::uint64_t received = targets.sum(&UdpCounts::received);
        fmt::print(stderr,
                   "{:4} s: {} packets/s; {} received, {} answered, {} lost on purpose, {} bad, "
                   "{} TX errors; {} frames\n",
                   (next - start) / Duration::from_s(1), received - received_before, received,
                   targets.sum(&UdpCounts::answered),
                   targets.sum(&UdpCounts::lost_forward) + targets.sum(&UdpCounts::lost_reverse),
                   targets.sum(&UdpCounts::bad), targets.sum(&UdpCounts::tx_errors),
                   targets.sum(&TcpCounts::frames_answered));
        received_before = received;
    }
}

// A thread that cannot be pinned says so before anything else runs.
Result<void> try_cpus(const ReflectOptions& options) {
    for (const std::uint32_t cpu : options.cpus) {
        Result<void> pinned;
        std::jthread([&] { pinned = pin_to_cpu(cpu); }).join();
        if (!pinned) return pinned;
    }
    return {};
}

void run_threads(const ReflectOptions& options, const Targets& targets, Instant start) {
    const Instant end = start + Duration{static_cast<std::int64_t>(options.seconds * 1e9)};
    std::vector<std::jthread> threads;
    const auto begin = [&](auto* answering) {
        const std::size_t index = threads.size();
        threads.emplace_back([&options, answering, index, end] {
            if (!options.cpus.empty()) {
                static_cast<void>(pin_to_cpu(options.cpus[index % options.cpus.size()]));
            }
            answering->run(end);
        });
    };
    for (const std::unique_ptr<UdpTargets>& udp : targets.udp) {
        begin(udp.get());
    }
    if (targets.tcp) begin(targets.tcp.get());
    if (!options.quiet) show_progress(targets, start, end);
}

// -- Telling --------------------------------------------------------------------------------------

void describe_link(const LinkOptions& link, Report& report) {
    report.add("loss_forward_percent", link.forward.loss_percent);
    report.add("loss_reverse_percent", link.reverse.loss_percent);
    report.add("delay_forward_ns", std::optional(link.forward.delay));
    report.add("delay_reverse_ns", std::optional(link.reverse.delay));
    describe_way(link.reverse, report);
    report.add("bits_per_s", link.forward.bits_per_s);
    report.add("line_queue_ns", std::optional(link.forward.queue_max));
    report.add("outage_period_ns", std::optional(link.outages.period));
    report.add("outage_ns", std::optional(link.outages.length));
    report.add("outage_share_percent", link.outages.share_percent);
    report.add("seed", link.seed);
}

void describe_options(const ReflectOptions& options, Report& report) {
    report.add("v", std::uint64_t{1});
    report.add("mode", "reflect");
    report.add("base", options.base);
    report.add("targets", std::uint64_t{options.target_count});
    report.add("udp_port", std::uint64_t{options.udp_port});
    report.add("tcp_port", std::uint64_t{options.tcp_port});
    report.add("packets", to_text(options.packets));
    report.add_truth("is_authenticated", !options.key_file.empty());
    report.add("threads", std::uint64_t{options.threads});
    report.add("batch", std::uint64_t{options.batch});
    report.add("cpus", options.cpus);
    report.add_truth("is_spinning", options.spin);
    report.add("spin_last_ns", std::optional(options.spin_last));
    describe_link(options.link, report);
}

void add_up(const Targets& targets, ReflectAccounts& accounts) {
    for (const std::unique_ptr<UdpTargets>& udp : targets.udp) {
        add_counts(udp->counts(), accounts.udp);
        accounts.udp_read_lateness.merge(udp->read_lateness());
        accounts.departure_lateness.merge(udp->departure_lateness());
    }
    if (!targets.tcp) return;
    add_counts(targets.tcp->counts(), accounts.tcp);
    accounts.tcp_read_lateness.merge(targets.tcp->read_lateness());
    accounts.departure_lateness.merge(targets.tcp->departure_lateness());
}

void describe_accounts(const ReflectAccounts& accounts, double elapsed_s, Report& report) {
    for (const UdpCountName& count : udp_count_names) {
        report.add(count.name, (accounts.udp.*count.member).get());
    }
    for (const TcpCountName& count : tcp_count_names) {
        report.add(count.name, (accounts.tcp.*count.member).get());
    }
    report.add("received_packets_per_s",
               static_cast<double>(accounts.udp.received.get()) / elapsed_s);
    report.add("own_read_lateness", accounts.udp_read_lateness);
    report.add("tcp_own_read_lateness", accounts.tcp_read_lateness);
    report.add("delayed_departure_lateness", accounts.departure_lateness);
}

// Prints the accounts; true if they balance and something was answered.
bool conclude(const ReflectOptions& options, const Targets& targets, Duration elapsed) {
    const double elapsed_s = static_cast<double>(elapsed.ns) / 1e9;
    ReflectAccounts accounts;
    add_up(targets, accounts);
    Report report;
    Trust trust(options.trust_lateness);
    describe_options(options, report);
    report.add("elapsed_s", elapsed_s);
    describe_accounts(accounts, elapsed_s, report);
    doubt(accounts, trust);
    report.add("own_cpu_ns", std::optional(cpu_time()));
    trust.describe(report);
    report.add_truth("is_interrupted", stop_requested());
    report.add_truth("is_balanced", is_balanced(accounts));
    fmt::print("{}", options.json ? report.as_json() : report.as_text());
    return is_balanced(accounts) && answered(accounts) > 0;
}

}  // namespace

Result<bool> run_reflect(const ReflectOptions& options) {
    const Result<AddressList> addresses = AddressList::make(options.base, options.target_count);
    if (!addresses) return std::unexpected(addresses.error());
    const Result<std::optional<HmacKey>> key = read_key(options.key_file);
    if (!key) return std::unexpected(key.error());
    const Result<void> has_cpus = try_cpus(options);
    if (!has_cpus) return std::unexpected(has_cpus.error());
    const OsClock clock;
    const Instant start = clock.now();
    const ReflectSetup setup{.options = options,
                             .addresses = *addresses,
                             .key = *key ? &**key : nullptr,
                             .start = start};
    const Result<Targets> targets = open_targets(setup);
    if (!targets) return std::unexpected(targets.error());
    fmt::print(stderr, "loadgen: {} targets answer\n", options.target_count);
    run_threads(options, *targets, start);
    return conclude(options, *targets, clock.now() - start);
}

}  // namespace latmon::loadgen
