// SPDX-License-Identifier: Apache-2.0
//
// What a run is judged to be worth: bad is what would make a figure mislead, a warning what makes
// it coarser. See selftest_report.hpp.
#include "base/limits.hpp"
#include "config/cpu_list.hpp"
#include "daemon/doctor_checks.hpp"
#include "daemon/selftest_report.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cmath>

namespace latmon {
namespace {

// Reading the clock by the vDSO takes 20 to 60 ns; by a system call, or from a timer chip, some
// hundred to some thousand, each time a packet is stamped.
constexpr Duration clock_reading_max{200};
// More than half of the round trips so far above the least: too coarse for whom 50 us matter.
constexpr std::int64_t added_p50_ns_max = 50'000;
constexpr std::int64_t added_p99_ns_max = 100'000;
// How far the median may lie apart at one target and at many: caches cost that much and no more.
constexpr std::int64_t shift_ns_warn = 5'000;
constexpr std::int64_t shift_ns_bad = 20'000;
// Median lateness: a sample is blamed beyond limits::sent_late_ns.
constexpr std::int64_t lateness_ns_warn = 100'000;
constexpr std::uint32_t capacity_min = 1'000;
// Interrupts and the kernel's own threads take less.
constexpr std::int64_t others_ppm_max = 30'000;

constexpr const char* busy_cure =
    "look for what else runs on these CPUs ('top'), ask for dedicated ones";

double percent(std::uint64_t part, std::uint64_t whole) noexcept {
    if (whole == 0) return 0;
    return 100 * static_cast<double>(part) / static_cast<double>(whole);
}

// Whether the least round trip is the way through loopback and no more. Each stamp of user space
// puts into every round trip what lies between it and the kernel's; that cannot be told from the
// way, and the added error, being above the least, is without it.
bool is_floor_clean(const SelftestReport& report) {
    return report.setting.stamps != StampPolicy::user &&
           std::ranges::all_of(report.added, [](const PhaseFigures& phase) {
               return phase.fully_stamped() * 100 >= phase.count() * 99;
           });
}

Finding judge_stamps(const SelftestReport& report) {
    std::uint64_t stamped = 0;
    std::uint64_t fully = 0;
    std::uint64_t all = 0;
    for (const PhaseFigures& phase : report.added) {
        stamped += phase.stamped();
        fully += phase.fully_stamped();
        all += phase.count();
    }
    Finding finding{"stamps", Verdict::ok,
                    fmt::format("{:.3g} % of round trips have T1 and T4 of the kernel, {:.3g} % "
                                "all four stamps",
                                percent(stamped, all), percent(fully, all)),
                    ""};
    if (is_floor_clean(report)) return finding;
    finding.verdict = Verdict::warn;
    if (report.setting.stamps == StampPolicy::user) {
        finding.text = "user space's, as configured: every round trip holds what this host takes";
        finding.cure = "write stamps = \"auto\"";
    } else if (stamped * 2 < all) {
        finding.verdict = Verdict::bad;
        finding.text += ": the others hold what this host takes, and pass for the network's";
        finding.cure =
            "run a kernel that stamps (Linux 6.1 does on most interfaces), outside of "
            "a sandbox that hides it";
    } else {
        finding.text += ": the others hold what this host takes, tens of microseconds";
        if (!report.host.ability.has_keys) {
            finding.cure = "run Linux 6.13, whose keys let the reflector's T3 be the kernel's";
        }
    }
    return finding;
}

Finding judge_lateness(const SelftestReport& report) {
    const auto own = std::ranges::find(report.lateness, report.setting.precision,
                                       [](const PhaseFigures& f) { return f.phase().precision; });
    Finding finding{"lateness", Verdict::bad, "no probe left", busy_cure};
    if (own == report.lateness.end()) return finding;
    const std::optional<std::int64_t> median_ns = own->lateness.percentile_ns(500);
    if (!median_ns) return finding;
    finding = {"lateness", Verdict::ok,
               fmt::format("half of the probes leave within {} of their time",
                           in_words(Duration{*median_ns})),
               ""};
    if (*median_ns <= lateness_ns_warn) return finding;
    finding.verdict = *median_ns > limits::sent_late_ns ? Verdict::bad : Verdict::warn;
    finding.text =
        fmt::format("half of the probes leave more than {} late", in_words(Duration{*median_ns}));
    finding.cure =
        report.setting.precision == Precision::power ? "write precision = \"balanced\"" : busy_cure;
    return finding;
}

Finding judge_added(const SelftestReport& report) {
    const std::optional<std::int64_t> least_ns = least_rtt_ns(report.added);
    Finding finding{"added_error", Verdict::bad, "nothing was answered", busy_cure};
    if (!least_ns || report.added.back().count() == 0) return finding;
    const AddedError added = *added_error(report.added.back(), *least_ns);
    finding = {"added_error", Verdict::ok,
               fmt::format("half of the round trips within {} of the least, 99 of 100 within {}",
                           in_words(Duration{added.p50_ns}), in_words(Duration{added.p99_ns})),
               ""};
    if (added.p50_ns <= added_p50_ns_max && added.p99_ns <= added_p99_ns_max) return finding;
    finding.verdict = added.p50_ns > added_p50_ns_max ? Verdict::bad : Verdict::warn;
    finding.cure = busy_cure;
    return finding;
}

Finding judge_invariance(const SelftestReport& report) {
    const std::optional<std::int64_t> one_ns = report.added.front().rtt.percentile_ns(500);
    const std::optional<std::int64_t> many_ns = report.added.back().rtt.percentile_ns(500);
    if (!one_ns || !many_ns) return {"targets", Verdict::bad, "nothing was answered", busy_cure};
    const std::int64_t shift_ns = *many_ns - *one_ns;
    Finding finding{"targets", Verdict::ok,
                    fmt::format("{} instead of one move the median round trip by {}",
                                report.added.back().phase().targets, in_words(Duration{shift_ns})),
                    ""};
    if (std::abs(shift_ns) <= shift_ns_warn) return finding;
    finding.verdict = std::abs(shift_ns) > shift_ns_bad ? Verdict::bad : Verdict::warn;
    finding.cure = busy_cure;
    return finding;
}

Finding judge_loss(const SelftestReport& report) {
    std::uint64_t lost = 0;
    std::uint64_t sent = 0;
    for (const PhaseFigures& phase : report.added) {
        lost += phase.accounts.wasted();
        sent += phase.accounts.sent + phase.accounts.failed;
    }
    if (lost == 0 && sent > 0) return {"loss", Verdict::ok, "none, as it must be here", ""};
    Finding finding{"loss", Verdict::warn,
                    fmt::format("{} of {} probes were lost within this host", lost, sent),
                    busy_cure};
    if (lost * 1'000 >= sent) finding.verdict = Verdict::bad;
    return finding;
}

// Percentiles are of probes that were sent: those of slots that a stall let pass would have been
// the worst.
Finding judge_slots(const SelftestReport& report) {
    std::uint64_t missed = 0;
    std::uint64_t slots = 0;
    bool is_bad = false;
    const auto add = [&](const PhaseFigures& phase) {
        missed += phase.accounts.missed;
        slots += phase.accounts.slots();
        is_bad = is_bad || phase.accounts.missed * 1'000 > phase.accounts.slots();
    };
    for (const PhaseFigures& phase : report.lateness) {
        if (phase.phase().precision == report.setting.precision) add(phase);
    }
    std::ranges::for_each(report.added, add);
    if (missed == 0) return {"slots", Verdict::ok, "none was missed", ""};
    return {"slots", is_bad ? Verdict::bad : Verdict::warn,
            fmt::format("{} of {} were missed, of which no percentile knows", missed, slots),
            busy_cure};
}

// Whatever percentile a phase has, it is without the samples for which there was no room.
Finding judge_samples(const SelftestReport& report) {
    std::uint64_t dropped = 0;
    for (const auto* const phases : {&report.lateness, &report.added, &report.steps}) {
        for (const PhaseFigures& phase : *phases)
            dropped += phase.accounts.samples_dropped;
    }
    if (dropped == 0) return {"samples", Verdict::ok, "all were looked at", ""};
    return {"samples", Verdict::bad,
            fmt::format("{} found no room in the queue: the figures are without them", dropped),
            "try a shorter --seconds"};
}

Finding judge_capacity(const SelftestReport& report) {
    Finding finding{"capacity", Verdict::ok,
                    fmt::format("{} probes a second and core", report.capacity_per_s), ""};
    if (report.capacity_per_s >= capacity_min) return finding;
    finding.verdict = Verdict::bad;
    finding.cure = busy_cure;
    return finding;
}

Finding judge_sharing(const SelftestReport& report) {
    const SelftestSetting& setting = report.setting;
    if (!setting.shares_cpu()) {
        return {"cpu", Verdict::ok,
                fmt::format("sender on {}, reflector on {}, of {} at hand", setting.sender_cpu,
                            setting.reflector_cpu, report.host.cpus),
                ""};
    }
    Finding finding{"cpu", Verdict::warn,
                    fmt::format("sender and reflector take turns on CPU {}: lateness and capacity "
                                "are of both together, not of the sender alone",
                                setting.sender_cpu),
                    "give latmon a second CPU"};
    if (setting.precision != Precision::spin) return finding;
    finding.verdict = Verdict::bad;
    finding.text += "; and neither sleeps with precision \"spin\"";
    finding.cure = "write precision = \"balanced\", or " + finding.cure;
    return finding;
}

// A thread that never sleeps and does not get the whole of its CPU shares it.
Finding judge_contention(const SelftestReport& report) {
    const auto spun = std::ranges::find(report.lateness, Precision::spin,
                                        [](const PhaseFigures& f) { return f.phase().precision; });
    Finding finding{"contention", Verdict::ok, "the sender had its CPU for itself", ""};
    if (report.setting.shares_cpu()) {
        finding.text = "not asked: sender and reflector share a CPU";
        return finding;
    }
    if (spun == report.lateness.end() || !spun->cost.cpu_ppm) return finding;
    const std::int64_t others_ppm = 1'000'000 - *spun->cost.cpu_ppm;
    if (others_ppm <= others_ppm_max) return finding;
    finding.verdict = Verdict::warn;
    finding.text = fmt::format(
        "others took {:.2g} % of the sender's CPU: these are the figures of a "
        "busy host",
        static_cast<double>(others_ppm) / 1e4);
    finding.cure = busy_cure;
    return finding;
}

// The card towards the rest of the world, of which no packet tells.
Finding judge_further_card(const StampVerdict& card) {
    return {"interface " + card.interface, Verdict::ok,
            fmt::format("hardware stamps: {}; the kernel's are proved by a target behind it: see "
                        "'latmon doctor FILE'",
                        card.can_hardware ? "can" : fmt::format("no ({})", card.hardware_fault)),
            ""};
}

Finding judge_clock_source(const SelftestHost& host) {
    const std::string name = host.clock_source.empty() ? "unknown" : host.clock_source;
    Finding finding{"clock_source", Verdict::ok,
                    fmt::format("{}, {} a reading", name, in_words(host.clock_reading)), ""};
    if (host.clock_reading <= clock_reading_max) return finding;
    finding.verdict = Verdict::warn;
    finding.text += ": each stamp of user space costs a system call";
    finding.cure =
        "let the kernel use \"tsc\" (dmesg tells why it does not), or the hypervisor's "
        "own clock";
    return finding;
}

}  // namespace

const PhaseFigures* SelftestReport::sustained() const noexcept {
    for (const PhaseFigures& step : steps) {
        if (step.phase().rate_per_s == capacity_per_s) return &step;
    }
    return nullptr;
}

const PhaseFigures* SelftestReport::too_much() const noexcept {
    const PhaseFigures* least = nullptr;
    for (const PhaseFigures& step : steps) {
        if (limit_of(step) == RateLimit::none) continue;
        if (least == nullptr || step.phase().rate_per_s < least->phase().rate_per_s) least = &step;
    }
    return least;
}

std::vector<Finding> judge(const SelftestReport& report) {
    const SelftestHost& host = report.host;
    std::vector<Finding> findings{judge_stamps(report),  judge_lateness(report),
                                  judge_added(report),   judge_invariance(report),
                                  judge_loss(report),    judge_slots(report),
                                  judge_samples(report), judge_capacity(report),
                                  judge_sharing(report), judge_clock_source(host)};
    findings.push_back(judge_tx_way(host.ability, report.setting.stamps));
    for (const StampVerdict& verdict : host.interfaces) {
        findings.push_back(judge_interface(verdict, report.setting.stamps));
    }
    if (!host.further_card.interface.empty()) {
        findings.push_back(judge_further_card(host.further_card));
    }
    findings.push_back(judge_contention(report));
    findings.push_back(judge_steal(host.ticks, "during this test"));
    findings.push_back(judge_governor(host.governor));
    findings.push_back(judge_scheduler(host.scheduler, report.setting.precision));
    return findings;
}

std::string headline(const SelftestReport& report) {
    std::string bad;
    for (const Finding& finding : report.findings) {
        if (finding.verdict != Verdict::bad) continue;
        bad += (bad.empty() ? "" : ", ") + finding.subject;
    }
    if (!bad.empty()) return fmt::format("Some figures of this host would mislead: {}.", bad);
    const AddedError added = *added_error(report.added.back(), *least_rtt_ns(report.added));
    const auto spread_us =
        static_cast<std::int64_t>(std::ceil(static_cast<double>(added.p99_ns) / 1e3));
    const std::string where =
        fmt::format("at {} targets, up to {} probes a second per core.",
                    report.added.back().phase().targets, report.capacity_per_s);
    if (!is_floor_clean(report)) {
        return fmt::format(
            "Spread of {} us above a floor that holds an unknown part of this "
            "host's own, tens of microseconds, {}",
            std::max<std::int64_t>(spread_us, 1), where);
    }
    return fmt::format("Good to {} {}",
                       spread_us <= 1 ? "the microsecond" : fmt::format("{} us", spread_us), where);
}

}  // namespace latmon
