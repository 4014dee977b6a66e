// SPDX-License-Identifier: Apache-2.0
//
// See accounts.hpp.
#include "daemon/accounts.hpp"

#include "base/log.hpp"
#include "daemon/fleet.hpp"

#include <fmt/format.h>

namespace latmon {
namespace {

// Beyond this many a list is not read by anybody; the sum is.
constexpr std::size_t probes_listed_max = 200;

struct Sum {
    std::uint64_t sent = 0, answered = 0, lost = 0, lost_forward = 0, lost_reverse = 0,
                  lost_local_tx = 0, lost_local_rx = 0, unreachable = 0, in_flight = 0, missed = 0,
                  late = 0, duplicate = 0, reordered = 0, local_error = 0, invalid = 0,
                  reopened = 0, descriptors = 0;

    void add(const ProbeCounters& counters) {
        sent += counters.sent.read();
        answered += counters.answered.read();
        lost += counters.lost.read();
        lost_forward += counters.lost_forward.read();
        lost_reverse += counters.lost_reverse.read();
        lost_local_tx += counters.lost_local_tx.read();
        lost_local_rx += counters.lost_local_rx.read();
        unreachable += counters.unreachable.read();
        in_flight += counters.in_flight();
        missed += counters.missed.read();
        late += counters.late.read();
        duplicate += counters.duplicate.read();
        reordered += counters.reordered.read();
        local_error += counters.local_error.read();
        invalid += counters.invalid.read();
        reopened += counters.reopened.read();
        descriptors += counters.descriptors.read();
    }
};

std::string text_of(const Sum& sum) {
    return fmt::format(
        "sent={} answered={} lost={} unreachable={} in_flight={} missed={} late={} duplicate={} "
        "reordered={} local_error={} invalid={} reopened={} lost_forward={} lost_reverse={} "
        "lost_local_tx={} lost_local_rx={} descriptors={}",
        sum.sent, sum.answered, sum.lost, sum.unreachable, sum.in_flight, sum.missed, sum.late,
        sum.duplicate, sum.reordered, sum.local_error, sum.invalid, sum.reopened, sum.lost_forward,
        sum.lost_reverse, sum.lost_local_tx, sum.lost_local_rx, sum.descriptors);
}

std::string text_of(const QueueAccounts& accounts) {
    return fmt::format("made={} exported={} rejected={} dropped={} abandoned={} queued={}",
                       accounts.made, accounts.exported, accounts.rejected, accounts.dropped,
                       accounts.abandoned, accounts.queued);
}

std::string describe(const Fleet& fleet, const FleetProbe& probe) {
    const TargetConfig& target = fleet.target_of(probe);
    const ProbeKind kind = probe.holder->plan.kind;
    return fmt::format("target={} protocol={} kind={}",
                       target.label.empty() ? target.host : target.label,
                       kind == ProbeKind::udp ? "udp" : "tcp",
                       kind == ProbeKind::tcp_connect ? "connect" : "exchange");
}

}  // namespace

void log_probe_accounts(const Fleet& fleet, std::uint32_t core_index, const Core& core) {
    Sum total;
    Sum gone;
    std::uint64_t gone_count = fleet.gone()[core_index].count;
    gone.add(fleet.gone()[core_index].sums);
    total.add(fleet.gone()[core_index].sums);
    for (const FleetProbe& probe : fleet.leaving()) {
        if (probe.core != core_index) continue;
        gone.add(probe.holder->counters);
        total.add(probe.holder->counters);
        ++gone_count;
    }
    std::size_t count = 0;
    std::vector<std::string> lines;
    for (const FleetProbe& probe : fleet.running()) {
        if (probe.core != core_index) continue;
        ++count;
        total.add(probe.holder->counters);
        if (lines.size() > probes_listed_max) continue;
        Sum sum;
        sum.add(probe.holder->counters);
        lines.push_back("accounts: " + describe(fleet, probe) + " " + text_of(sum));
    }
    for (const std::string& line : lines) {
        if (lines.size() <= probes_listed_max) log::info(line);
    }
    if (gone_count > 0) log::info(fmt::format("accounts: gone={} {}", gone_count, text_of(gone)));
    const ReactorCounters& loop = core.reactor().counters();
    log::info(fmt::format(
        "accounts: core={} probes={} {} loop_stalls={} receive_overflows={} "
        "lateness_ns_max={}",
        core_index, count, text_of(total), loop.stalls, loop.overflows, loop.lateness_ns_max));
}

void log_reflector_accounts(const std::vector<std::unique_ptr<CoreThread>>& cores) {
    std::string udp;
    std::uint64_t received = 0;
    for (const auto& core : cores)
        received += core->core().udp_reflector().received.read();
    for (std::size_t index = 0; index < reflect_reason_count; ++index) {
        const ReflectReason reason = static_cast<ReflectReason>(index);
        std::uint64_t count = 0;
        for (const auto& core : cores)
            count += core->core().udp_reflector().read(reason);
        udp += fmt::format(" {}={}", name(reason), count);
    }
    log::info(fmt::format("accounts: reflector=udp received={}{}", received, udp));

    std::string tcp;
    for (const TcpCounterName& counter : tcp_counter_names) {
        std::uint64_t count = 0;
        for (const auto& core : cores)
            count += (core->core().tcp_reflector().*counter.counter).read();
        tcp += fmt::format(" {}={}", counter.name, count);
    }
    log::info("accounts: reflector=tcp" + tcp);
}

void log_exporter_accounts(const ExporterAccounts& accounts) {
    std::string own;
    for (const auto& [name, value] : accounts.counters)
        own += fmt::format(" exporter_{}={}", name, value);  // As its series is named.
    const QueueAccounts& windows = accounts.windows;
    log::info(
        fmt::format("accounts: exporter={} {}{}", accounts.name, text_of(accounts.samples), own));
    if (windows.made == 0) return;
    log::info(fmt::format("accounts: windows={} {}", accounts.name, text_of(windows)));
}

}  // namespace latmon
