// SPDX-License-Identifier: Apache-2.0
//
// A plan as an operator reads it. Long plans are cut: the first probes show what the file came to,
// the sums show the rest.
#include "base/assert.hpp"
#include "config/plan.hpp"
#include "config/plan_notes.hpp"
#include "config/words.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <iterator>
#include <string_view>

namespace latmon {
namespace {

constexpr std::size_t probes_shown = 50;

double milliseconds(Duration duration) noexcept {
    return static_cast<double>(duration.ns) / 1e6;
}

double probes_per_second(const CorePlan& core) noexcept {
    double rate = 0;
    for (const ProbePlan& probe : core.probes) {
        rate += 1e9 / static_cast<double>(probe.interval.ns);
    }
    return rate;
}

void describe_cores(const Plan& plan, std::string& text) {
    fmt::format_to(std::back_inserter(text), "\n{:<8} {:>8} {:>12}\n", "CPU", "PROBES", "PROBES/S");
    for (const CorePlan& core : plan.cores) {
        fmt::format_to(std::back_inserter(text), "{:<8} {:>8} {:>12.1f}\n", core.cpu,
                       core.probes.size(), probes_per_second(core));
    }
}

void describe_listeners(const Plan& plan, std::string& text) {
    if (plan.listeners.empty()) return;
    fmt::format_to(std::back_inserter(text), "\n{:<8} {}\n", "LISTEN", "ADDRESS");
    for (const ListenerPlan& listener : plan.listeners) {
        fmt::format_to(std::back_inserter(text), "{:<8} {}{}\n", listener.is_tcp ? "tcp" : "udp",
                       to_string(listener.endpoint), listener.is_required ? "" : "  if possible");
    }
}

void describe_probe(const Plan& plan, const ProbePlan& probe, std::string& text) {
    const TargetConfig& target = plan.targets[probe.target_index];
    const std::string_view name = target.label.empty() ? target.host : target.label;
    const std::string where =
        probe.address ? to_string(*probe.address) : fmt::format("{}:{}", probe.host, probe.port);
    fmt::format_to(std::back_inserter(text), "{:<5} {:<8} {:<20} {:<28} {:>11} {:>9} {:>6}{}\n",
                   probe.probe_index, name_of(probe.kind), name, where,
                   milliseconds(probe.interval), milliseconds(probe.timeout), probe.size_bytes,
                   notes_of(plan, probe));
}

void describe_probes(const Plan& plan, std::string& text) {
    std::vector<const ProbePlan*> probes;
    for (const CorePlan& core : plan.cores) {
        for (const ProbePlan& probe : core.probes) {
            probes.push_back(&probe);
        }
    }
    if (probes.empty()) {
        text += "\nNo targets: latmon only answers.\n";
        return;
    }
    std::sort(probes.begin(), probes.end(), [](const ProbePlan* a, const ProbePlan* b) {
        return a->probe_index < b->probe_index;
    });
    fmt::format_to(std::back_inserter(text), "\n{:<5} {:<8} {:<20} {:<28} {:>11} {:>9} {:>6}\n",
                   "PROBE", "METHOD", "TARGET", "ADDRESS", "INTERVAL/MS", "TIMEOUT/MS", "SIZE");
    const std::size_t shown = std::min(probes.size(), probes_shown);
    for (std::size_t index = 0; index < shown; ++index) {
        describe_probe(plan, *probes[index], text);
    }
    if (probes.size() > shown) {
        fmt::format_to(std::back_inserter(text), "... and {} more\n", probes.size() - shown);
    }
}

// What of samples and windows an exporter gets; the plugin is not asked for that.
std::string taken_by(const ExporterConfig& exporter) {
    std::string text = exporter.kinds ? list_of(kind_words, *exporter.kinds) : "as it asks for";
    if (exporter.window_lengths && *exporter.window_lengths != 0) {
        text += fmt::format("; windows of {}", list_of(window_words, *exporter.window_lengths));
    }
    return text;
}

void describe_exporters(const Plan& plan, std::string& text) {
    if (plan.exporters.empty()) {
        text += "\nNo exporters: what is measured goes nowhere.\n";
        return;
    }
    fmt::format_to(std::back_inserter(text), "\n{:<20} {:<28} {:>8}  {}\n", "EXPORTER", "PLUGIN",
                   "QUEUE", "SAMPLES");
    for (const ExporterConfig& exporter : plan.exporters) {
        fmt::format_to(std::back_inserter(text), "{:<20} {:<28} {:>8}  {}{}\n", exporter.name,
                       exporter.plugin.empty() ? exporter.path : exporter.plugin,
                       exporter.queue_samples, taken_by(exporter),
                       exporter.is_compatible ? "  as latency-monitor" : "");
    }
}

}  // namespace

std::string_view name_of(ProbeKind kind) noexcept {
    switch (kind) {
        case ProbeKind::udp:
            return "udp";
        case ProbeKind::tcp:
            return "tcp";
        case ProbeKind::tcp_connect:
            return "connect";
    }
    LATMON_ASSERT(false);
    return "";
}

std::string describe_plan(const Plan& plan) {
    std::string text =
        fmt::format("node {}, precision {}, {}{} probes, at most {} file descriptors\n", plan.name,
                    text_of(precision_words, plan.precision),
                    plan.stamps == StampPolicy::automatic
                        ? ""
                        : fmt::format("stamps {}, ", text_of(stamp_policy_words, plan.stamps)),
                    plan.probe_count, plan.fds_needed);
    text += notes_of_clock(plan);
    text += notes_of_reflector(plan);
    describe_cores(plan, text);
    describe_listeners(plan, text);
    describe_probes(plan, text);
    describe_exporters(plan, text);
    if (!plan.warnings.empty()) text += '\n';
    for (const std::string& warning : plan.warnings) {
        fmt::format_to(std::back_inserter(text), "warning: {}\n", warning);
    }
    return text;
}

}  // namespace latmon
