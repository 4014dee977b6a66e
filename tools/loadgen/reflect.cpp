// SPDX-License-Identifier: Apache-2.0
//
// See reflect.hpp. Threads are joined before anything they wrote but counters is read.
#include "loadgen/reflect.hpp"

#include "loadgen/address_list.hpp"
#include "loadgen/process.hpp"
#include "loadgen/reflect_tcp.hpp"
#include "loadgen/reflect_udp.hpp"
#include "loadgen/report.hpp"
#include "loadgen/sockets.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <algorithm>
#include <cerrno>
#include <memory>
#include <thread>
#include <utility>

namespace latmon::loadgen {
namespace {

// One kept connection per target, and a handshake that is timed beside it.
constexpr std::uint64_t connections_per_target = 2;

struct Targets {
    std::vector<std::unique_ptr<UdpTargets>> udp;
    std::unique_ptr<TcpTargets> tcp;  // Null: not asked for.

    [[nodiscard]] std::uint64_t sum(Counter UdpCounts::*member) const noexcept {
        std::uint64_t total = 0;
        for (const std::unique_ptr<UdpTargets>& targets : udp) {
            total += (targets->counts().*member).get();
        }
        return total;
    }
};

Result<std::unique_ptr<TcpTargets>> open_tcp_targets(const ReflectOptions& options,
                                                     const AddressList& addresses) {
    Result<Fd> listener = open_listener(options.tcp_port);
    if (!listener) return std::unexpected(listener.error());
    Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll.is_open()) return fail_errno(ExitCode::failure, "no epoll descriptor", errno);
    return std::make_unique<TcpTargets>(addresses, std::move(*listener), std::move(epoll));
}

Result<Targets> open_targets(const ReflectOptions& options, const AddressList& addresses) {
    const std::uint64_t connections =
        options.tcp_port == 0 ? 0 : connections_per_target * addresses.size();
    const Result<void> reserved = reserve_descriptors(options.threads + connections);
    if (!reserved) return std::unexpected(reserved.error());
    Targets targets;
    for (std::uint32_t index = 0; index < options.threads; ++index) {
        Result<Fd> socket = open_reflecting_udp(options.udp_port);
        if (!socket) return std::unexpected(socket.error());
        targets.udp.push_back(
            std::make_unique<UdpTargets>(options, addresses, std::move(*socket), index));
    }
    if (options.tcp_port != 0) {
        Result<std::unique_ptr<TcpTargets>> tcp = open_tcp_targets(options, addresses);
        if (!tcp) return std::unexpected(tcp.error());
        targets.tcp = std::move(*tcp);
    }
    return targets;
}

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
                   targets.tcp ? targets.tcp->counts().frames_answered.get() : 0);
        received_before = received;
    }
}

bool is_udp_balanced(const Targets& targets) noexcept {
    return targets.sum(&UdpCounts::received) ==
           targets.sum(&UdpCounts::answered) + targets.sum(&UdpCounts::lost_forward) +
               targets.sum(&UdpCounts::lost_reverse) + targets.sum(&UdpCounts::bad) +
               targets.sum(&UdpCounts::not_ours) + targets.sum(&UdpCounts::queue_full) +
               targets.sum(&UdpCounts::tx_errors) + targets.sum(&UdpCounts::left_waiting);
}

bool is_tcp_balanced(const TcpCounts& counts) noexcept {
    return counts.frames_received.get() ==
           counts.frames_answered.get() + counts.frames_bad.get() + counts.frames_other.get();
}

// Prints the accounts; true if they balance and something was answered.
bool conclude(const ReflectOptions& options, const Targets& targets, Duration elapsed) {
    const double elapsed_s = static_cast<double>(elapsed.ns) / 1e9;
    Report report;
    report.add("mode", "reflect");
    report.add("targets", std::uint64_t{options.target_count});
    report.add("elapsed_s", elapsed_s);
    for (const UdpCountName& count : udp_count_names) {
        report.add(count.name, targets.sum(count.member));
    }
    const std::uint64_t received = targets.sum(&UdpCounts::received);
    report.add("received_packets_per_s", static_cast<double>(received) / elapsed_s);
    std::uint64_t answered = targets.sum(&UdpCounts::answered);
    bool is_balanced = is_udp_balanced(targets);
    if (targets.tcp) {
        const TcpCounts& counts = targets.tcp->counts();
        for (const TcpCountName& count : tcp_count_names) {
            report.add(count.name, (counts.*count.member).get());
        }
        answered += counts.frames_answered.get();
        is_balanced = is_balanced && is_tcp_balanced(counts);
    }
    Histogram lateness;
    for (const std::unique_ptr<UdpTargets>& udp : targets.udp) {
        lateness.merge(udp->departure_lateness());
    }
    report.add("delayed_departure_lateness", lateness);
    report.add_truth("is_interrupted", stop_requested());
    report.add_truth("is_balanced", is_balanced);
    fmt::print("{}", options.json ? report.as_json() : report.as_text());
    return is_balanced && answered > 0;
}

}  // namespace

Result<bool> run_reflect(const ReflectOptions& options) {
    const Result<AddressList> addresses = AddressList::make(options.base, options.target_count);
    if (!addresses) return std::unexpected(addresses.error());
    Result<Targets> targets = open_targets(options, *addresses);
    if (!targets) return std::unexpected(targets.error());
    const OsClock clock;
    const Instant start = clock.now();
    const Instant end = start + Duration{static_cast<std::int64_t>(options.seconds * 1e9)};
    {
        std::vector<std::jthread> threads;
        for (const std::unique_ptr<UdpTargets>& udp : targets->udp) {
            threads.emplace_back([&udp, end] { udp->run(end); });
        }
        if (targets->tcp) threads.emplace_back([&targets, end] { targets->tcp->run(end); });
        if (!options.quiet) show_progress(*targets, start, end);
    }
    return conclude(options, *targets, clock.now() - start);
}

}  // namespace latmon::loadgen
