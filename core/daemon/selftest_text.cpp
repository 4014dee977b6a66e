// SPDX-License-Identifier: Apache-2.0
//
// A run as people read it: tables, what the columns mean, and the findings. See
// selftest_report.hpp.
#include "base/limits.hpp"
#include "config/words.hpp"
#include "daemon/doctor_checks.hpp"
#include "daemon/ping_text.hpp"
#include "daemon/selftest_report.hpp"

#include <fmt/format.h>
#include <iterator>

namespace latmon {
namespace {

using Text = std::back_insert_iterator<std::string>;

constexpr const char* added_explained =
    "  added: how far a published round trip is above the least one here. The way through\n"
    "  loopback is the same for every probe, so that the rest was put in by this host: by what\n"
    "  latmon waits for as far as stamps do not exclude it, by the kernel, by the hypervisor.\n"
    "  What it puts into every round trip alike, the least one too, does not show.\n"
    "  kept out: between the kernel's stamps and our sending and reading, which T1 and T4\n"
    "  exclude; at many targets up to {} of it is latmon's own, which lets replies wait for\n"
    "  each other.\n";

std::string time_text(std::optional<std::int64_t> ns) {
    return ns ? in_microseconds(*ns) : "-";
}

std::string percent_text(std::optional<std::int64_t> ppm) {
    return ppm ? fmt::format("{:.3g} %", static_cast<double>(*ppm) / 1e4) : "-";
}

void add_heading(Text to, const SelftestReport& report) {
    const SelftestSetting& setting = report.setting;
    fmt::format_to(to, "latmon selftest: sender on CPU {}, reflector on CPU {}, precision {}, {}\n",
                   setting.sender_cpu, setting.reflector_cpu,
                   text_of(precision_words, setting.precision),
                   report.host.config_file.empty() ? "no configuration" : report.host.config_file);
    fmt::format_to(to,
                   "over loopback: figures of this host and its kernel, not of its network "
                   "card\n\n");
}

void add_lateness(Text to, const SelftestReport& report) {
    fmt::format_to(to, "{:<32}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "lateness, 1000 probes a second",
                   "p50", "p99", "max", "CPU", "missed");
    for (const PhaseFigures& phase : report.lateness) {
        const bool is_own = phase.phase().precision == report.setting.precision;
        fmt::format_to(to, "  {:<30}{:>10}{:>10}{:>10}{:>10}{:>10}\n",
                       fmt::format("{}{}", text_of(precision_words, phase.phase().precision),
                                   is_own ? ", in use" : ""),
                       time_text(phase.lateness.percentile_ns(500)),
                       time_text(phase.lateness.percentile_ns(990)),
                       time_text(phase.lateness.max_ns()), percent_text(phase.cost.cpu_ppm),
                       phase.accounts.missed);
    }
}

void add_added(Text to, const SelftestReport& report) {
    const std::optional<std::int64_t> least_ns = least_rtt_ns(report.added);
    fmt::format_to(to, "{:<32}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n",
                   fmt::format("added error, {} a second", report.added.front().phase().rate_per_s),
                   "p50", "p99", "rtt p50", "kept out", "p99", "missed");
    for (const PhaseFigures& phase : report.added) {
        const std::optional<AddedError> added =
            least_ns ? added_error(phase, *least_ns) : std::nullopt;
        const std::uint32_t targets = phase.phase().targets;
        fmt::format_to(to, "  {:<30}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n",
                       fmt::format("{} target{}", targets, targets == 1 ? "" : "s"),
                       added ? in_microseconds(added->p50_ns) : "-",
                       added ? in_microseconds(added->p99_ns) : "-",
                       time_text(phase.rtt.percentile_ns(500)),
                       time_text(phase.dwell.percentile_ns(500)),
                       time_text(phase.dwell.percentile_ns(990)), phase.accounts.missed);
    }
    fmt::format_to(to, added_explained, in_words(Duration{limits::reply_patience_ns}));
}

void add_stamps(Text to, const SelftestReport& report) {
    fmt::format_to(to, "stamps of T1, T2, T3, T4:");
    const PhaseFigures& phase = report.added.back();
    for (const auto& [kinds, count] : phase.stamps) {
        fmt::format_to(to, " {:.3g} % {}",
                       100 * static_cast<double>(count) / static_cast<double>(phase.count()),
                       stamps_text(kinds));
    }
    fmt::format_to(to, "\n");
}

void add_capacity(Text to, const SelftestReport& report) {
    fmt::format_to(to, "capacity: {} probes a second on one core, over {} targets",
                   report.capacity_per_s, report.options.targets);
    if (const PhaseFigures* const step = report.sustained()) {
        fmt::format_to(to, "; CPU {}", percent_text(step->cost.cpu_ppm));
        if (step->cost.cpu_ns_per_probe && step->cost.ring_calls_per_1000_probes) {
            fmt::format_to(to, ", {} and {:.2g} calls of the ring a probe",
                           in_microseconds(*step->cost.cpu_ns_per_probe),
                           static_cast<double>(*step->cost.ring_calls_per_1000_probes) / 1e3);
        }
    }
    if (const PhaseFigures* const step = report.too_much()) {
        const PhaseAccounts& accounts = step->accounts;
        fmt::format_to(to, "\n  at {}: median lateness {}, {} of {} slots missed, {} lost",
                       step->phase().rate_per_s, time_text(step->lateness.percentile_ns(500)),
                       accounts.missed, accounts.slots(), accounts.lost);
    }
    fmt::format_to(to, "\n");
}

}  // namespace

std::string selftest_text(const SelftestReport& report) {
    std::string text;
    const Text to(text);
    add_heading(to, report);
    add_lateness(to, report);
    fmt::format_to(to, "\n");
    add_added(to, report);
    add_stamps(to, report);
    fmt::format_to(to, "\n");
    add_capacity(to, report);
    fmt::format_to(to, "\n{}\n{}\n", doctor_text(report.findings), headline(report));
    return text;
}

}  // namespace latmon
