// SPDX-License-Identifier: Apache-2.0
//
// Who runs what. Everything here depends on the configuration and the CPUs alone, so that the same
// file gives the same schedule after every restart, and a target that is appended moves no other.
#include "config/plan.hpp"

#include "base/assert.hpp"
#include "config/cpu_list.hpp"
#include "config/mistakes.hpp"
#include "config/plan_packet.hpp"
#include "config/read_targets.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <bit>
#include <optional>
#include <unordered_map>

namespace latmon {
namespace {

// 2^64 over the golden ratio: multiples of it, taken modulo 2^64, lie as evenly on a circle as any
// sequence can whose length is not known beforehand (three-distance theorem).
constexpr std::uint64_t golden_step = 0x9e37'79b9'7f4a'7c15;
// The fractional part of the square root of 2: turns the circles of two cores against each other.
constexpr std::uint64_t core_step = 0x6a09'e667'f3bc'c909;

// A thread that sleeps pays for each awakening as much as for several probes. The first probes of a
// core have a time of their own all the same; further ones share it with as many as one submission
// takes, if they are so small that a card sends them faster than we make them.
constexpr std::size_t lone_probes = limits::lone_probes_per_core;
constexpr std::size_t group_probes = 16;
// Groups are numbered from where no probe's own place can be: a large packet must not leave with
// one.
constexpr std::size_t first_group = std::size_t{1} << 32U;
constexpr std::uint32_t group_packet_bytes_max = 256;
// A sleep until a group of rarer ones may end as late as it does.
constexpr Duration precise_interval_max = Duration::from_ms(100);

// A probe a day is the least load; in this unit it is still 11.
constexpr std::uint64_t load_unit = 1'000'000'000'000'000;

// Descriptors of one core-thread beside its sockets: ring, eventfd, and room for what a
// library opens.
constexpr std::uint64_t fds_per_core = 16;
// Standard streams, log, signals, plugins' own connections.
constexpr std::uint64_t fds_of_process = 64;

std::uint64_t load_of(Duration interval) noexcept {
    return load_unit / static_cast<std::uint64_t>(interval.ns);
}

// FNV-1a, then a finaliser (MurmurHash3's), because FNV alone leaves the top bits of short names
// alike and the phase is made of the top bits.
std::uint64_t hash_name(std::string_view name) noexcept {
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
    for (const char letter : name) {
        hash = (hash ^ static_cast<unsigned char>(letter)) * 0x0000'0100'0000'01b3;
    }
    hash = (hash ^ (hash >> 33U)) * 0xff51'afd7'ed55'8ccd;
    hash = (hash ^ (hash >> 33U)) * 0xc4ce'b9fe'1a85'ec53;
    return hash ^ (hash >> 33U);
}

// `fraction` / 2^64 of the interval. The top 53 bits are what a double holds exactly.
Duration share_of(Duration interval, std::uint64_t fraction) noexcept {
    const double share = static_cast<double>(fraction >> 11U) * 0x1p-53;
    const auto ns = static_cast<std::int64_t>(share * static_cast<double>(interval.ns));
    return Duration{std::min(ns, interval.ns - 1)};
}

// How many probes are on their way at once at most: those sent within one timeout, and one each for
// the edges.
std::uint64_t probes_in_flight(Duration interval, Duration timeout) noexcept {
    return static_cast<std::uint64_t>(timeout / interval) + 2;
}

// Twice that, so that a late reply or a duplicate still finds its probe.
std::uint64_t slots_for(Duration interval, Duration timeout) noexcept {
    return std::max<std::uint64_t>(std::bit_ceil(2 * probes_in_flight(interval, timeout)),
                                   limits::in_flight_slots_min);
}

ProbePlan base_probe(const TargetConfig& target, std::uint32_t target_index) {
    ProbePlan probe;
    probe.target_index = target_index;
    probe.interval = target.interval;
    probe.timeout = target.timeout;
    probe.jitter = target.jitter;
    probe.max_lost = target.max_lost;
    probe.in_flight_slots = static_cast<std::uint32_t>(slots_for(target.interval, target.timeout));
    probe.dscp = target.dscp;
    probe.wants_rtt = target.rtt;
    probe.source = parse_endpoint(target.source, 0);
    probe.host = target.host;
    probe.interface = target.interface;
    return probe;
}

// The probes of one target, in the order of their indices.
std::vector<ProbePlan> probes_of(const TargetConfig& target, std::uint32_t target_index) {
    std::vector<ProbePlan> probes;
    const ProbePlan base = base_probe(target, target_index);
    const auto add = [&](ProbeKind kind, std::uint16_t port) {
        ProbePlan probe = base;
        probe.kind = kind;
        probe.port = port;
        probe.address = parse_endpoint(target.host, port);
        probes.push_back(std::move(probe));
    };
    if (target.udp) add(ProbeKind::udp, target.udp_port);
    if (target.tcp) add(ProbeKind::tcp, target.tcp_port);
    if (target.tcp && target.tcp_latency) add(ProbeKind::tcp_connect, target.tcp_port);
    return probes;
}

bool check_in_flight(const TargetConfig& target, Mistakes& mistakes) {
    const std::uint64_t slots = slots_for(target.interval, target.timeout);
    if (slots <= limits::in_flight_slots_max) return true;
    const Duration timeout_max = target.interval * (limits::in_flight_slots_max / 2 - 2);
    mistakes.error(target.where,
                   fmt::format("target {}: timeout {} s at interval {} ms means {} probes in "
                               "flight; write a timeout of at most {} s, or a longer interval",
                               in_quotes(target.host), static_cast<double>(target.timeout.ns) / 1e9,
                               static_cast<double>(target.interval.ns) / 1e6,
                               probes_in_flight(target.interval, target.timeout),
                               static_cast<double>(timeout_max.ns) / 1e9));
    return false;
}

// -- Cores ------------------------------------------------------------------------------------

void add_cores(const Config& config, std::span<const std::uint32_t> cpus, Plan& plan,
               Mistakes& mistakes) {
    const std::vector<std::uint32_t> wanted =
        config.cores.empty() ? std::vector<std::uint32_t>{cpus.back()} : config.cores;
    std::vector<std::uint32_t> missing;
    for (const std::uint32_t cpu : wanted) {
        if (std::find(cpus.begin(), cpus.end(), cpu) == cpus.end()) missing.push_back(cpu);
        plan.cores.push_back(CorePlan{.cpu = cpu, .probes = {}});
    }
    if (!missing.empty()) {
        mistakes.error({}, fmt::format("\"cores\" names CPU {}, which latmon may not run on; write "
                                       "CPUs out of {}",
                                       format_cpu_list(missing), format_cpu_list(cpus)));
    }
    if (plan.precision == Precision::spin && missing.empty() && wanted.size() >= cpus.size()) {
        plan.warnings.emplace_back(
            "precision \"spin\" on every CPU leaves none to exporters and to the rest of the host; "
            "leave one CPU out of \"cores\"");
    }
}

// `place` is the number of probes before it on its core.
void place_in_time(ProbePlan& probe, std::size_t place, std::uint64_t core_hash) noexcept {
    const bool is_lone = place < lone_probes || probe.size_bytes > group_packet_bytes_max ||
                         probe.kind != ProbeKind::udp;
    const std::size_t turn = is_lone ? place : first_group + (place - lone_probes) / group_probes;
    probe.phase = share_of(probe.interval, core_hash + turn * golden_step);
    probe.is_precise = is_lone || probe.interval <= precise_interval_max;
}

// The lowest number that nobody has.
class Numbers {
public:
    void take(std::uint32_t number) {
        if (number >= is_taken_.size()) is_taken_.resize(number + 1U);
        is_taken_[number] = true;
    }
    [[nodiscard]] std::uint32_t take_free() {
        while (next_ < is_taken_.size() && is_taken_[next_])
            ++next_;
        take(next_);
        return next_;
    }

private:
    std::vector<bool> is_taken_;
    std::uint32_t next_ = 0;  // All below are taken.
};

// Each probe in turn to the core with the least load so far, the first of equals: appending a
// target never moves the ones before it. Probes that run already are where they are, and those that
// come take what they leave free.
class Spreader {
public:
    Spreader(const Config& config, std::vector<CorePlan>& cores)
        : config_(config),
          name_hash_(hash_name(config.name)),
          cores_(cores),
          loads_(cores.size()),
          places_(cores.size()) {}

    void keep(const ProbePlan& probe, std::size_t core) {
        loads_[core] += load_of(probe.interval);
        places_[core].take(probe.place);
        indices_.take(probe.probe_index);
    }

    void add(const TargetConfig& target, std::uint32_t target_index, KeyFiles& key_files) {
        for (ProbePlan& probe : probes_of(target, target_index)) {
            const auto least = std::min_element(loads_.begin(), loads_.end());
            const auto core = static_cast<std::size_t>(least - loads_.begin());
            *least += load_of(probe.interval);
            probe.probe_index = indices_.take_free();
            probe.place = places_[core].take_free();
            probe.ssid = static_cast<std::uint16_t>(1 + probe.probe_index % 65'535);
            plan_packet(config_, target, key_files, probe);
            place_in_time(probe, probe.place, name_hash_ + core * core_step);
            cores_[core].probes.push_back(std::move(probe));
        }
    }

private:
    const Config& config_;
    std::uint64_t name_hash_;
    std::vector<CorePlan>& cores_;
    std::vector<std::uint64_t> loads_;
    std::vector<Numbers> places_;
    Numbers indices_;
};

// Keys are numbered on the way.
void spread_probes(const Config& config, Plan& plan, Mistakes& mistakes) {
    KeyFiles key_files(plan.key_files);
    Spreader spreader(config, plan.cores);
    for (std::uint32_t target_index = 0; target_index < config.targets.size(); ++target_index) {
        const TargetConfig& target = config.targets[target_index];
        if (!check_in_flight(target, mistakes)) continue;
        if (std::string text = packet_warning(target); !text.empty()) {
            plan.warnings.push_back(std::move(text));
        }
        spreader.add(target, target_index, key_files);
    }
    for (const CorePlan& core : plan.cores)
        plan.probe_count += static_cast<std::uint32_t>(core.probes.size());
    for (const ReflectorKeyConfig& key : config.reflector.keys) {
        plan.reflector_keys.push_back(key_files.index_of(key.key_file));
    }
}

void check_core_size(std::uint32_t cpu, std::size_t probes, Mistakes& mistakes) {
    if (probes <= limits::targets_per_core_max) return;
    mistakes.error({}, fmt::format("CPU {} would run {} probes; {} are the most: add CPUs to "
                                   "\"cores\", or take targets out",
                                   cpu, probes, limits::targets_per_core_max));
}

void check_core_sizes(const Plan& plan, Mistakes& mistakes) {
    for (const CorePlan& core : plan.cores)
        check_core_size(core.cpu, core.probes.size(), mistakes);
}

// -- While others run -------------------------------------------------------------------------

std::string name_of(const TargetConfig& target) {
    return fmt::format("{} {} {} {}", target.label, target.host, target.udp_port, target.tcp_port);
}

using Names = std::unordered_multimap<std::string, std::uint32_t>;

// The running target that is the same as `wanted`, which nobody else then gets.
std::optional<std::uint32_t> take_same(const RunningTargets& running, const TargetConfig& wanted,
                                       Names& names) {
    const auto [first, last] = names.equal_range(name_of(wanted));
    for (auto found = first; found != last; ++found) {
        if (!is_same_target(*running.targets[found->second], wanted)) continue;
        const std::uint32_t index = found->second;
        names.erase(found);
        return index;
    }
    return std::nullopt;
}

// -- Sockets ----------------------------------------------------------------------------------

void add_listeners(const Config& config, Plan& plan) {
    for (const std::string& literal : config.listen_addresses) {
        const std::optional<Endpoint> address = parse_endpoint(literal, 0);
        LATMON_ASSERT(address.has_value());
        // A host without IPv6 is common; one without IPv4 is not, and then it should say so.
        const bool is_required = config.is_listen_explicit || is_ipv4(address->address);
        const auto add = [&](bool is_tcp, std::uint16_t port, bool is_needed) {
            Endpoint endpoint = *address;
            endpoint.port = port;
            plan.listeners.push_back(ListenerPlan{is_tcp, endpoint, is_needed});
        };
        if (config.udp) add(false, config.udp_port, is_required);
        if (config.tcp) add(true, config.tcp_port, is_required);
        const bool wants_stamp_port =
            config.udp && config.stamp_port != 0 && config.stamp_port != config.udp_port;
        if (wants_stamp_port) {
            add(false, config.stamp_port, is_required && config.is_stamp_port_explicit);
        }
    }
}

std::uint64_t count_fds(const Plan& plan) noexcept {
    const bool has_tcp_listener =
        std::any_of(plan.listeners.begin(), plan.listeners.end(),
                    [](const ListenerPlan& listener) { return listener.is_tcp; });
    std::uint64_t fds = fds_of_process;
    for (const CorePlan& core : plan.cores) {
        fds += fds_per_core + plan.listeners.size();
        if (has_tcp_listener) fds += limits::tcp_sessions_per_core;
        for (const ProbePlan& probe : core.probes)
            fds += sockets_of(probe);
    }
    return fds;
}

}  // namespace

Result<Plan> make_plan(const Config& config, std::span<const std::uint32_t> cpus) {
    LATMON_ASSERT(!cpus.empty());
    Mistakes mistakes(config.file);
    Plan plan;
    plan.name = config.name;
    plan.targets = config.targets;
    plan.exporters = config.exporters;
    plan.reflector = config.reflector;
    plan.clock = config.clock;
    plan.stats = config.stats;
    plan.stamps = config.stamps;
    plan.precision = config.precision;
    plan.node_interval = config.node_interval;
    plan.resolve_interval = config.resolve_interval;
    add_cores(config, cpus, plan, mistakes);
    spread_probes(config, plan, mistakes);
    check_core_sizes(plan, mistakes);
    add_listeners(config, plan);
    if (plan.listeners.empty()) {
        plan.warnings.emplace_back(
            "\"udp\" and \"tcp\" are both false: nothing is answered and nothing is probed");
    }
    plan.fds_needed = count_fds(plan);
    if (mistakes.has_errors()) return fail(ExitCode::configuration, mistakes.errors_text());
    return plan;
}

Result<PlanChange> plan_change(const Config& config, const RunningTargets& running) {
    Mistakes mistakes(config.file);
    PlanChange change;
    Names names;
    for (std::uint32_t index = 0; index < running.targets.size(); ++index) {
        if (running.targets[index] == nullptr || running.must_change[index]) continue;
        names.emplace(name_of(*running.targets[index]), index);
    }
    std::vector<const TargetConfig*> added;
    std::vector<bool> is_kept(running.targets.size());
    Numbers indices;
    change.targets.resize(running.targets.size());
    for (const TargetConfig& wanted : config.targets) {
        const std::optional<std::uint32_t> same = take_same(running, wanted, names);
        if (!same) {
            added.push_back(&wanted);
            continue;
        }
        is_kept[*same] = true;
        indices.take(*same);
        change.targets[*same] = wanted;
    }
    for (std::uint32_t index = 0; index < is_kept.size(); ++index) {
        if (running.targets[index] != nullptr && !is_kept[index]) change.removed.push_back(index);
    }
    change.kept = config.targets.size() - added.size();
    change.cores.resize(running.probes.size());
    Spreader spreader(config, change.cores);
    std::vector<std::size_t> sizes(running.probes.size());
    for (std::size_t core = 0; core < running.probes.size(); ++core) {
        for (const ProbePlan* const probe : running.probes[core]) {
            if (!is_kept[probe->target_index]) continue;
            spreader.keep(*probe, core);
            ++sizes[core];
        }
    }
    KeyFiles key_files(change.key_files);
    for (const TargetConfig* const target : added) {
        if (!check_in_flight(*target, mistakes)) continue;
        if (std::string text = packet_warning(*target); !text.empty()) {
            change.warnings.push_back(std::move(text));
        }
        const std::uint32_t index = indices.take_free();
        if (index >= change.targets.size()) change.targets.resize(index + 1U);
        change.targets[index] = *target;
        change.added.push_back(index);
        spreader.add(*target, index, key_files);
    }
    for (std::size_t core = 0; core < sizes.size(); ++core) {
        check_core_size(running.cpus[core], sizes[core] + change.cores[core].probes.size(),
                        mistakes);
    }
    if (mistakes.has_errors()) return fail(ExitCode::configuration, mistakes.errors_text());
    return change;
}

}  // namespace latmon
