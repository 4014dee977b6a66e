// SPDX-License-Identifier: Apache-2.0
//
// Whatever an operator may write into a file: TOML text to Config, Config to Plan, Plan to text.
// What was accepted must be within the bounds that everything after it relies on, and what was
// refused must say so in lines of its own. A libFuzzer target.
#include "base/assert.hpp"
#include "config/parse.hpp"
#include "config/plan.hpp"
#include "config/probe_size.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {
namespace {

void check_target(const TargetConfig& target) {
    LATMON_ASSERT(!target.host.empty());
    LATMON_ASSERT(target.udp_port != 0 && target.tcp_port != 0);
    LATMON_ASSERT(target.size_bytes == 0 || target.size_bytes >= probe_bytes_min(shape_of(target)));
    LATMON_ASSERT(target.size_bytes <= limits::probe_bytes_max);
    LATMON_ASSERT(target.interval.ns >= limits::interval_ns_min);
    LATMON_ASSERT(target.interval.ns <= limits::interval_ns_max);
    LATMON_ASSERT(target.timeout.ns >= limits::timeout_ns_min);
    LATMON_ASSERT(target.timeout.ns <= limits::timeout_ns_max);
    LATMON_ASSERT(target.jitter.ns >= 0 && target.jitter.ns <= target.interval.ns / 2);
    LATMON_ASSERT(target.dscp <= 63);
    LATMON_ASSERT(target.tlvs < tlv_access_report_bit << 1U);
    for (const std::string& tag : target.tags) {
        LATMON_ASSERT(tag.find(':') != std::string::npos && tag.front() != ':');
    }
}

void check_exporter(const ExporterConfig& exporter) {
    LATMON_ASSERT(exporter.plugin.empty() != exporter.path.empty());
    LATMON_ASSERT(!exporter.name.empty());
    LATMON_ASSERT(std::has_single_bit(exporter.queue_samples));
    LATMON_ASSERT(exporter.queue_samples >= limits::queue_samples_min);
    LATMON_ASSERT(exporter.queue_samples <= limits::queue_samples_max);
    LATMON_ASSERT(exporter.kinds != 0);
}

void check_clock(const ClockConfig& clock) {
    LATMON_ASSERT(clock.drift_ppb >= 1'000 && clock.drift_ppb <= 100'000'000);
    LATMON_ASSERT(clock.error_bound.ns >= 0);
    LATMON_ASSERT(clock.trust != ClockTrust::operator_ || clock.error_bound.ns > 0);
    LATMON_ASSERT(clock.trust != ClockTrust::chrony || !clock.chrony.empty());
}

void check_keys(const Plan& plan) {
    const std::vector<ReflectorKeyConfig>& keys = plan.reflector.keys;
    LATMON_ASSERT(plan.reflector_keys.size() == keys.size());
    for (std::size_t index = 0; index < keys.size(); ++index) {
        LATMON_ASSERT(!keys[index].prefixes.empty());
        const auto file = static_cast<std::size_t>(plan.reflector_keys[index]);
        LATMON_ASSERT(plan.key_files.at(file) == keys[index].key_file);
    }
}

void check_probe(const Plan& plan, const ProbePlan& probe) {
    const TargetConfig& target = plan.targets[probe.target_index];
    LATMON_ASSERT(probe.phase.ns >= 0 && probe.phase < probe.interval);
    LATMON_ASSERT(std::has_single_bit(probe.in_flight_slots));
    LATMON_ASSERT(probe.in_flight_slots <= limits::in_flight_slots_max);
    LATMON_ASSERT((probe.ssid != 0) == speaks_stamp(probe.protocol));
    if (probe.kind == ProbeKind::tcp_connect) return;
    const ProbeShape shape{probe.protocol, probe.key_index >= 0, probe.tlvs};
    LATMON_ASSERT(probe.size_bytes >= probe_bytes_min(shape));
    LATMON_ASSERT(probe.size_bytes <= limits::probe_bytes_max);
    LATMON_ASSERT(probe.tlvs == 0 || probe.size_bytes >= probe_bytes_needed(shape));
    LATMON_ASSERT((probe.tlvs & ~target.tlvs) == 0);
    LATMON_ASSERT((probe.key_index >= 0) == !target.key_file.empty());
    if (probe.key_index >= 0) {
        const auto file = static_cast<std::size_t>(probe.key_index);
        LATMON_ASSERT(plan.key_files.at(file) == target.key_file);
    }
}

void check_plan(const Config& config) {
    constexpr std::array<std::uint32_t, 4> cpus{0, 1, 2, 3};
    const Result<Plan> plan = make_plan(config, cpus);
    if (!plan) {
        LATMON_ASSERT(!plan.error().text.empty());
        return;
    }
    for (const CorePlan& core : plan->cores) {
        for (const ProbePlan& probe : core.probes) {
            check_probe(*plan, probe);
        }
    }
    check_keys(*plan);
    LATMON_ASSERT(!describe_plan(*plan).empty());
}

// Messages go to a terminal: no line of them may hold what an operator's text smuggled in.
void check_lines(std::string_view text) {
    LATMON_ASSERT(!text.empty());
    LATMON_ASSERT(std::none_of(text.begin(), text.end(), [](char letter) {
        return letter != '\n' && (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f);
    }));
}

void check_text(std::string_view text) {
    std::vector<std::string> warnings;
    const Result<Config> config = parse_config(text, "fuzz.toml", {}, warnings);
    for (const std::string& warning : warnings) {
        check_lines(warning);
    }
    if (!config) return check_lines(config.error().text);
    std::for_each(config->targets.begin(), config->targets.end(), check_target);
    std::for_each(config->exporters.begin(), config->exporters.end(), check_exporter);
    LATMON_ASSERT(!config->exporters.empty());
    check_clock(config->clock);
    check_plan(*config);
}

}  // namespace
}  // namespace latmon

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    latmon::check_text(std::string_view(reinterpret_cast<const char*>(data), size));
    return 0;
}
