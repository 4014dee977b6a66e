// SPDX-License-Identifier: Apache-2.0
//
// See doctor_checks.hpp.
#include "daemon/doctor_checks.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

namespace latmon {
namespace {

// Steal below this share of all time does not show in percentiles that people look at.
constexpr double steal_share_max = 0.001;

// What the reflector's sockets ask for: see reactor/socket.cpp.
constexpr std::uint64_t receive_buffer_wanted_bytes = 8U << 20U;

// "6.18.44-x" -> {6, 18}.
std::pair<int, int> version_of(std::string_view release) noexcept {
    int major = 0;
    int minor = 0;
    const char* const end = release.data() + release.size();
    const char* at = std::from_chars(release.data(), end, major).ptr;
    if (at != end && *at == '.') std::from_chars(at + 1, end, minor);
    return {major, minor};
}

std::string_view source_name(ClockSource source) noexcept {
    constexpr std::array<std::string_view, 4> names{"nobody", "the kernel", "chronyd",
                                                    "the operator's error_bound"};
    return names.at(static_cast<std::size_t>(source));
}

std::string errno_text(int number) {
    const char* const text = ::strerrordesc_np(number);
    return text != nullptr ? text : fmt::format("error {}", number);
}

}  // namespace

std::string in_words(Duration duration) {
    constexpr std::array<std::pair<double, std::string_view>, 4> units{
        {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}}};
    const auto ns = static_cast<double>(duration.ns);
    for (const auto& [size, name] : units) {
        if (std::abs(ns) >= size) return fmt::format("{:.3g} {}", ns / size, name);
    }
    return "0 ns";
}

// -- Kernel and stamps --------------------------------------------------------------------------

Finding judge_kernel(const std::string& release) {
    const std::pair<int, int> version = version_of(release);
    Finding finding{"kernel", Verdict::ok, "Linux " + release, ""};
    if (version < std::pair{6, 1}) {
        finding.verdict = Verdict::bad;
        finding.cure = "latmon needs Linux 6.1 or newer";
    }
    return finding;
}

Finding judge_tx_way(const StampAbility& ability, StampPolicy policy) {
    Finding finding{"tx_stamps", Verdict::ok, "", ""};
    switch (ability.tx) {
        case TxStampWay::ring:
            finding.text = "stamps of what is sent come through the ring";
            return finding;
        case TxStampWay::error_queue:
            finding.text =
                "stamps of what is sent are read from the error queue, one system call "
                "each; from Linux 6.17 on they come through the ring";
            return finding;
        case TxStampWay::none:
            break;
    }
    const bool is_asked_for = policy == StampPolicy::kernel || policy == StampPolicy::hardware;
    finding.verdict = is_asked_for ? Verdict::bad : Verdict::warn;
    finding.text =
        "the kernel does not stamp what is sent: user space does, some microseconds "
        "early";
    finding.cure = is_asked_for ? "write stamps = \"auto\"" : "";
    return finding;
}

Finding judge_stamp_keys(const StampAbility& ability) {
    if (ability.has_keys) {
        return {"stamp_keys", Verdict::ok, "each datagram carries the key of its stamps", ""};
    }
    return {"stamp_keys", Verdict::warn,
            "before Linux 6.13 keys of stamps are counted: probes have them, replies of the "
            "reflector do not",
            ""};
}

Finding judge_interface(const StampVerdict& verdict, StampPolicy policy) {
    std::string text = describe(verdict);
    text.erase(0, verdict.interface.size() + 2);  // "eth0: ": the subject says it.
    Finding finding{"interface " + verdict.interface, Verdict::ok, std::move(text), ""};
    const bool is_silent = verdict.tx == StampProof::not_seen || verdict.rx == StampProof::not_seen;
    const bool is_unproved =
        verdict.tx == StampProof::no_packet || verdict.rx == StampProof::no_packet;
    if (is_silent || is_unproved) finding.verdict = Verdict::warn;
    if (is_silent && policy == StampPolicy::kernel) {
        finding.verdict = Verdict::bad;
        finding.cure = "write stamps = \"auto\"";
    }
    const bool is_loopback = verdict.interface == "lo";
    if (policy == StampPolicy::hardware && !verdict.can_hardware && !is_loopback) {
        finding.verdict = Verdict::bad;
        finding.cure = "write stamps = \"auto\", or use a card that has them";
    }
    if (policy == StampPolicy::user) finding.verdict = Verdict::ok;
    return finding;
}

// -- Clock --------------------------------------------------------------------------------------

Finding judge_kernel_clock(const KernelClock& kernel) {
    if (!kernel.is_synchronized) {
        return {"clock_kernel", Verdict::warn, "nobody keeps the kernel's clock right",
                "run chronyd or another daemon that disciplines it"};
    }
    if (!is_believable(kernel)) {
        return {"clock_kernel", Verdict::warn,
                fmt::format("the kernel says synchronised, with a bound of {} that nobody reckoned",
                            in_words(kernel.error_max)),
                "run chronyd, or write error_bound under [clock] if you know the bound"};
    }
    return {"clock_kernel", Verdict::ok,
            fmt::format("synchronised within {}", in_words(kernel.error_max + kernel.remaining)),
            ""};
}

Finding judge_chrony(const std::string& where, bool has_answered, std::optional<Duration> bound) {
    if (where.empty()) return {"clock_chrony", Verdict::ok, "not asked, as configured", ""};
    if (!has_answered) {
        return {"clock_chrony", Verdict::ok, fmt::format("no chronyd answers at {}", where), ""};
    }
    if (!bound) {
        return {"clock_chrony", Verdict::warn, "chronyd follows no source",
                "see 'chronyc sources'"};
    }
    return {"clock_chrony", Verdict::ok, fmt::format("chronyd is within {}", in_words(*bound)), ""};
}

Finding judge_clock(const LocalClock& clock, Instant now) {
    if (!clock.is_synchronized_at(now)) {
        return {"clock", Verdict::warn,
                "packets claim nothing about this clock (S = 0): one-way delays have the bounds of "
                "causality alone",
                "run chronyd, or write error_bound under [clock]"};
    }
    return {"clock", Verdict::ok,
            fmt::format("packets claim an error of {} (S = 1), by the word of {}",
                        in_words(clock.error_at(now)), source_name(clock.source)),
            ""};
}

Finding judge_tai(const LocalClock& clock, bool is_ptp_used) {
    if (clock.has_tai_offset) {
        return {"tai", Verdict::ok,
                fmt::format("TAI is {} ahead of UTC", in_words(clock.tai_offset)), ""};
    }
    Finding finding{"tai", Verdict::ok,
                    "the kernel does not know TAI - UTC, which only stamps in PTP format need", ""};
    if (!is_ptp_used) return finding;
    finding.verdict = Verdict::warn;
    finding.cure = "give chronyd leapsectz right/UTC, or write timestamp_format = \"ntp\"";
    return finding;
}

// -- CPUs ---------------------------------------------------------------------------------------

Finding judge_cpus(std::size_t at_hand, const Plan& plan) {
    Finding finding{"cpu", Verdict::ok,
                    fmt::format("{} at hand, {} taken by core-threads", at_hand, plan.cores.size()),
                    ""};
    if (at_hand > plan.cores.size()) return finding;
    finding.verdict = plan.precision == Precision::spin ? Verdict::bad : Verdict::warn;
    finding.text += ": none is left to exporters and to the rest of the host";
    finding.cure = "leave one CPU out of \"cores\"";
    if (at_hand == 1 && plan.precision != Precision::spin)
        finding.cure = "give latmon a second one";
    return finding;
}

Finding judge_steal(const CpuTicks& ticks, std::string_view since) {
    const auto all = static_cast<double>(ticks.all);
    const double share = ticks.all == 0 ? 0.0 : static_cast<double>(ticks.stolen) / all;
    if (share <= steal_share_max)
        return {"steal", Verdict::ok, "hardly any CPU time was stolen", ""};
    return {"steal", Verdict::warn,
            fmt::format("the hypervisor gave {:.2g} % of this host's CPU time to others {}",
                        100 * share, since),
            "samples taken meanwhile are marked cpu_steal; ask for dedicated CPUs"};
}

Finding judge_scheduler(int policy, Precision precision) {
    const bool is_realtime = policy == SCHED_FIFO || policy == SCHED_RR;
    if (!is_realtime) return {"scheduler", Verdict::ok, "the usual one", ""};
    if (precision != Precision::spin) return {"scheduler", Verdict::ok, "real time", ""};
    return {"scheduler", Verdict::warn,
            "real time, while precision \"spin\" never sleeps: the kernel then stops latmon for 50 "
            "ms of every second (sched_rt_runtime_us)",
            "write precision = \"balanced\", or run latmon under the usual scheduler"};
}

Finding judge_governor(const std::string& governor) {
    if (governor.empty()) {
        return {"governor", Verdict::ok, "this host does not tell how its CPUs are clocked", ""};
    }
    if (governor == "performance") return {"governor", Verdict::ok, governor, ""};
    return {"governor", Verdict::warn,
            governor + ": CPUs are clocked down between probes, and wake late",
            "'cpupower frequency-set -g performance'"};
}

// -- Limits -------------------------------------------------------------------------------------

Finding judge_files(std::uint64_t needed, const FileLimit& limit, bool may_raise) {
    Finding finding{"files", Verdict::ok,
                    fmt::format("up to {} open files are needed, {} may be had", needed,
                                std::max(limit.soft, limit.hard)),
                    ""};
    if (needed <= limit.hard || may_raise) return finding;
    finding.verdict = Verdict::bad;
    finding.cure = fmt::format("'ulimit -n {}' or LimitNOFILE={}", needed, needed);
    return finding;
}

Finding judge_memlock(std::uint64_t limit_bytes, bool has_ring) {
    const bool is_unlimited = limit_bytes == UINT64_MAX;
    Finding finding{"memlock", Verdict::ok,
                    is_unlimited ? "unlimited" : fmt::format("{} octets", limit_bytes), ""};
    if (has_ring) {
        finding.text += ", enough for a ring";
    } else if (!is_unlimited) {
        finding.verdict = Verdict::warn;
        finding.cure = "if the ring lacks memory: 'ulimit -l unlimited' or LimitMEMLOCK=infinity";
    }
    return finding;
}

Finding judge_receive_buffer(std::uint64_t rmem_max_bytes) {
    if (rmem_max_bytes == 0) {
        return {"receive_buffer", Verdict::warn, "net.core.rmem_max cannot be read", ""};
    }
    Finding finding{"receive_buffer", Verdict::ok,
                    fmt::format("net.core.rmem_max is {}", rmem_max_bytes), ""};
    if (rmem_max_bytes >= receive_buffer_wanted_bytes) return finding;
    finding.verdict = Verdict::warn;
    finding.text += ": a reflector that many probe at once may run out of room";
    finding.cure = fmt::format("'sysctl net.core.rmem_max={}'", receive_buffer_wanted_bytes);
    return finding;
}

// -- Ports --------------------------------------------------------------------------------------

Finding judge_port(const ListenerPlan& listener, int error_number) {
    const std::string name =
        fmt::format("port {}/{}", listener.endpoint.port, listener.is_tcp ? "tcp" : "udp");
    const std::string where = to_string(listener.endpoint);
    const Verdict refused = listener.is_required ? Verdict::bad : Verdict::warn;
    switch (error_number) {
        case 0:
            return {name, Verdict::ok, where + " is free", ""};
        case EADDRINUSE:
            // A latmon that runs is no illness.
            return {name, Verdict::warn,
                    where + " is taken, by a latmon that runs already or by another process",
                    fmt::format("'ss -lpn sport = {}' tells by whom", listener.endpoint.port)};
        case EACCES:
            return {name, refused, where + " is refused: it is below 1024",
                    "'setcap cap_net_bind_service+ep' on latmon, or another port"};
        case EADDRNOTAVAIL:
            return {name, refused, "this host does not have the address of " + where,
                    "correct \"address\""};
        case EAFNOSUPPORT:
            return {name, refused, where + ": this host does without that address family",
                    listener.is_required ? "correct \"address\"" : ""};
        default:
            return {name, refused, fmt::format("{}: {}", where, errno_text(error_number)), ""};
    }
}

Finding judge_privileges(bool may_bind_low, const Plan& plan) {
    const bool wants_low =
        std::any_of(plan.listeners.begin(), plan.listeners.end(),
                    [](const ListenerPlan& listener) { return listener.endpoint.port < 1'024; });
    if (may_bind_low) return {"privileges", Verdict::ok, "ports below 1024 may be bound", ""};
    Finding finding{"privileges", Verdict::ok, "ports below 1024 may not be bound", ""};
    if (!wants_low) {
        finding.text += ", and none is wanted";
        return finding;
    }
    finding.verdict = Verdict::warn;
    finding.cure =
        "'setcap cap_net_bind_service+ep' on latmon, or AmbientCapabilities= of its unit";
    return finding;
}

}  // namespace latmon
