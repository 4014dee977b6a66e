// SPDX-License-Identifier: Apache-2.0
//
// Everything about a change of targets that can fail, before anything is changed; see fleet.hpp.
// What it makes, commit() takes over or discard() gives back. [main-thread]
#include "daemon/fleet.hpp"

#include "daemon/series.hpp"
#include "daemon/stamp_proof.hpp"
#include "daemon/thread_setup.hpp"
#include "probe/ancestor_template.hpp"
#include "probe/descriptor_sender.hpp"
#include "reactor/hardware_stamps.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <unordered_map>
#include <utility>

namespace latmon {
namespace {

// Names with the same answer: of one family, or of either.
std::string resolver_key(const TargetConfig& target) {
    const std::optional<Endpoint> source = parse_endpoint(target.source, 0);
    const char family = source ? (is_ipv4(source->address) ? '4' : '6') : '*';
    return family + target.host;
}

}  // namespace

std::string Fleet::name_of(const TargetConfig& target, const ProbePlan& probe) {
    return fmt::format("{} {} {}", target.label.empty() ? target.host : target.label,
                       latmon::name_of(probe.kind), probe.port);
}

// A key file with another content makes its target another one.
RunningTargets Fleet::look_at_running(KeySlots::Files& files) const {
    RunningTargets running;
    running.must_change.resize(targets_.size());
    for (const std::optional<TargetConfig>& target : targets_)
        running.targets.push_back(target ? &*target : nullptr);
    running.probes.resize(cores_.size());
    const auto add = [&](const FleetProbe& probe) {
        const ProbePlan& plan = probe.holder->plan;
        running.probes[probe.core].push_back(&plan);
        if (plan.key_index < 0) return;
        const std::string& path = targets_[plan.target_index]->key_file;
        const Result<const KeySlots::Found*> found = KeySlots::read(path, files);
        const bool is_same = found && key_slots_.is_at(static_cast<std::uint32_t>(plan.key_index),
                                                       path, (*found)->code);
        if (!is_same) running.must_change[plan.target_index] = true;
    };
    std::ranges::for_each(running_, add);
    std::ranges::for_each(waiting_, add);
    for (const std::unique_ptr<CoreThread>& core : cores_)
        running.cpus.push_back(core->cpu());
    return running;
}

std::vector<bool> Fleet::used_keys() const {
    std::vector<bool> is_used = reflector_keys_;
    is_used.resize(key_slots_.size());
    for (const auto* const probes : {&running_, &waiting_, &leaving_}) {
        for (const FleetProbe& probe : *probes) {
            const std::int32_t key = probe.holder->plan.key_index;
            if (key >= 0) is_used[static_cast<std::size_t>(key)] = true;
        }
    }
    return is_used;
}

// Gives keys their places, of which some were those of keys that nobody has any more.
Result<void> Fleet::take_keys(FleetChange& change, KeySlots::Files& files) {
    std::vector<bool> is_used = used_keys();
    std::vector<std::int32_t> places;
    for (const std::string& path : change.plan.key_files) {
        const Result<const KeySlots::Found*> found = KeySlots::read(path, files);
        if (!found) return std::unexpected(found.error());
        const std::uint32_t place = key_slots_.take(path, (*found)->code, is_used);
        is_used.resize(key_slots_.size());
        const bool is_new = !is_used[place];
        is_used[place] = true;
        places.push_back(static_cast<std::int32_t>(place));
        for (const std::unique_ptr<CoreThread>& core : cores_) {
            if (!is_new) break;
            core->core().set_key(place, std::make_unique<const HmacKey>((*found)->key));
        }
    }
    for (CorePlan& core : change.plan.cores) {
        for (ProbePlan& probe : core.probes) {
            if (probe.key_index < 0) continue;
            probe.key_index = places[static_cast<std::size_t>(probe.key_index)];
        }
    }
    return {};
}

// What leaves is there for a while yet.
Result<void> Fleet::check_room(const FleetChange& change) const {
    for (std::uint32_t core = 0; core < cores_.size(); ++core) {
        CorePlan all = change.plan.cores[core];
        std::size_t probes = all.probes.size();
        std::uint64_t sockets = sockets_needed(all, setting_.listeners);
        for (const auto* const list : {&running_, &waiting_, &leaving_}) {
            for (const FleetProbe& probe : *list) {
                if (probe.core != core) continue;
                ++probes;
                sockets += sockets_of(probe.holder->plan);
            }
        }
        const std::size_t probes_max = cores_[core]->core().probes_max();
        const std::uint64_t sockets_max = cores_[core]->sockets_max();
        if (probes <= probes_max && sockets <= sockets_max) continue;
        return fail(ExitCode::configuration,
                    fmt::format("CPU {} would run {} probes with {} sockets, those that go "
                                "included; since the start it has room for {} and {}: restart "
                                "latmon, load the file in steps, or raise LimitNOFILE=",
                                cores_[core]->cpu(), probes, sockets, probes_max, sockets_max));
    }
    return {};
}

void Fleet::warn(FleetChange& change) {
    Plan part;
    std::swap(part.cores, change.plan.cores);
    for (const auto warnings_of : {descriptor_warnings, ancestor_warnings}) {
        for (std::string& warning : warnings_of(part))
            change.plan.warnings.push_back(std::move(warning));
    }
    std::swap(part.cores, change.plan.cores);
}

// Names that somebody else has already looked up are known at once.
void Fleet::find_addresses(FleetChange& change) const {
    std::unordered_map<std::string, Endpoint> known;
    for (std::size_t index = 0; index < targets_.size(); ++index) {
        if (targets_[index] && !is_unspecified(addresses_[index])) {
            known.emplace(resolver_key(*targets_[index]), addresses_[index]);
        }
    }
    change.addresses.resize(change.plan.targets.size());
    for (std::size_t index = 0; index < change.plan.targets.size(); ++index) {
        const std::optional<TargetConfig>& target = change.plan.targets[index];
        if (!target) continue;
        const auto found = known.find(resolver_key(*target));
        if (const std::optional<Endpoint> literal = parse_endpoint(target->host, 0)) {
            change.addresses[index] = *literal;
        } else if (found != known.end()) {
            change.addresses[index] = found->second;
        }
    }
    for (CorePlan& core : change.plan.cores) {
        for (ProbePlan& probe : core.probes) {
            Endpoint address = change.addresses[probe.target_index];
            if (is_unspecified(address)) continue;
            address.port = probe.port;
            probe.address = address;
        }
    }
}

Result<void> Fleet::find_interfaces(FleetChange& change) {
    for (const CorePlan& core : change.plan.cores) {
        for (const std::string& name : interfaces_towards(core.probes)) {
            const bool is_known =
                name.empty() || std::ranges::find(interfaces_, name) != interfaces_.end() ||
                std::ranges::find(change.interfaces, name) != change.interfaces.end();
            if (!is_known) change.interfaces.push_back(name);
        }
    }
    if (setting_.stamps != StampPolicy::hardware) return {};
    for (const std::string& interface : change.interfaces) {
        if (Result<void> enabled = enable_hardware_stamps(interface); !enabled) return enabled;
    }
    return {};
}

void Fleet::make_probes(FleetChange& change) {
    std::vector<std::string> interfaces = interfaces_;
    interfaces.insert(interfaces.end(), change.interfaces.begin(), change.interfaces.end());
    for (std::uint32_t core = 0; core < cores_.size(); ++core) {
        std::vector<ProbePlan>& plans = change.plan.cores[core].probes;
        const std::vector<std::string> ways = interfaces_towards(plans);
        for (std::size_t index = 0; index < plans.size(); ++index) {
            ProbePlan& plan = plans[index];
            const TargetConfig& target = *change.plan.targets[plan.target_index];
            const auto way = std::ranges::find(interfaces, ways[index]);
            FleetProbe probe{
                .holder = nullptr,
                .core = core,
                .series = add_probe_series(registry_, target, plan, setting_.has_clock_series),
                .name = name_of(target, plan)};
            plan.series_id = probe.series.first_id;
            plan.clock_series_id = probe.series.first_id + 1;
            probe.holder = std::make_unique<ProbeHolder>(
                std::move(plan), way == interfaces.end() || ways[index].empty()
                                     ? no_interface
                                     : static_cast<std::uint32_t>(way - interfaces.begin()));
            cores_[core]->core().make_probe(*probe.holder);
            change.probes.push_back(std::move(probe));
        }
        plans.clear();
    }
}

// One for each core, which trades its own in.
void Fleet::make_allow_lists(const Config& config, FleetChange& change) const {
    for (std::size_t core = 0; core < cores_.size(); ++core) {
        auto list = std::make_unique<AllowList>(config.reflector,
                                                static_cast<std::uint32_t>(change.addresses.size()),
                                                setting_.hash_key);
        for (std::uint32_t index = 0; index < change.addresses.size(); ++index) {
            list->set_target_address(index, change.addresses[index].address);
        }
        change.allow.push_back(std::move(list));
    }
}

Result<FleetChange> Fleet::prepare(const Config& config, bool has_tai) {
    KeySlots::Files files;
    Result<PlanChange> plan = plan_change(config, look_at_running(files));
    if (!plan) return std::unexpected(plan.error());
    FleetChange change;
    change.plan = std::move(*plan);
    for (const std::uint32_t index : change.plan.added) {
        if (has_tai || change.plan.targets[index]->timestamp_format != TimestampFormat::ptp) {
            continue;
        }
        return fail(ExitCode::configuration,
                    "timestamp_format = \"ptp\" needs TAI, but this kernel does not know the "
                    "offset to it (adjtimex tai is 0): let chronyd or ptp4l set it, or use "
                    "\"ntp\"");
    }
    if (Result<void> room = check_room(change); !room) return std::unexpected(room.error());
    warn(change);
    find_addresses(change);
    if (Result<void> keys = take_keys(change, files); !keys) return std::unexpected(keys.error());
    if (Result<void> interfaces = find_interfaces(change); !interfaces) {
        return std::unexpected(interfaces.error());
    }
    make_probes(change);
    make_allow_lists(config, change);
    return change;
}

}  // namespace latmon
