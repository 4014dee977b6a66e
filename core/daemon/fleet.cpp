// SPDX-License-Identifier: Apache-2.0
//
// The life of probes from the main-thread's side; see fleet.hpp. How a change is prepared is in
// fleet_prepare.cpp.
#include "daemon/fleet.hpp"

#include "base/assert.hpp"
#include "daemon/probe_totals.hpp"
#include "daemon/series.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>

namespace latmon {
namespace {

void append_ids(SeriesGroup group, std::vector<std::uint32_t>& ids) {
    const std::vector<std::uint32_t> more = ids_of(group);
    ids.insert(ids.end(), more.begin(), more.end());
}

void add_to(GoneProbes& gone, const ProbeCounters& counters) {
    ++gone.count;
    for (const ProbeCounterName& each : probe_counter_names) {
        (gone.sums.*each.counter).add((counters.*each.counter).read());
    }
}

}  // namespace

Fleet::Fleet(CoreThreads& cores, ExporterSet& exporters, SeriesRegistry& registry)
    : cores_(cores), exporters_(exporters), registry_(registry) {}

Result<std::vector<HmacKey>> Fleet::set_up(Plan& plan, Setting setting) {
    setting_ = setting;
    KeySlots::Files files;
    std::vector<HmacKey> keys;
    for (const std::string& path : plan.key_files) {
        const Result<const KeySlots::Found*> found = KeySlots::read(path, files);
        if (!found) return std::unexpected(found.error());
        const std::uint32_t place = key_slots_.take(path, (*found)->code, {});
        LATMON_ASSERT(place == keys.size());
        keys.push_back((*found)->key);
    }
    reflector_keys_.resize(keys.size());
    for (const std::int32_t key : plan.reflector_keys)
        reflector_keys_[static_cast<std::size_t>(key)] = true;
    planned_series_.resize(plan.probe_count);
    for (CorePlan& core : plan.cores) {
        for (ProbePlan& probe : core.probes) {
            const TargetConfig& target = plan.targets[probe.target_index];
            const SeriesGroup group =
                add_probe_series(registry_, target, probe, setting_.has_clock_series);
            registry_.begin(group);
            probe.series_id = group.first_id;
            probe.clock_series_id = group.first_id + 1;
            planned_series_[probe.probe_index] = group;
        }
    }
    return keys;
}

void Fleet::adopt(std::vector<TargetConfig> targets, std::vector<std::string> interfaces) {
    interfaces_ = std::move(interfaces);
    targets_.assign(std::make_move_iterator(targets.begin()),
                    std::make_move_iterator(targets.end()));
    addresses_.resize(targets_.size());
    gone_ = std::vector<GoneProbes>(cores_.size());
    running_.reserve(planned_series_.size());
    for (std::uint32_t core = 0; core < cores_.size(); ++core) {
        for (std::unique_ptr<ProbeHolder>& holder : cores_[core]->core().take_probes()) {
            const ProbePlan& probe = holder->plan;
            if (probe.address) {
                addresses_[probe.target_index] = *probe.address;
                addresses_[probe.target_index].port = 0;
            }
            std::string name = name_of(*targets_[probe.target_index], probe);
            const SeriesGroup series = planned_series_[probe.probe_index];
            running_.push_back({.holder = std::move(holder),
                                .core = core,
                                .series = series,
                                .name = std::move(name)});
        }
    }
    planned_series_ = std::vector<SeriesGroup>();
    ++generation_;
    if (events_ != nullptr) tell_begin(running_);
}

const TargetConfig& Fleet::target_of(const FleetProbe& probe) const {
    return *targets_[probe.holder->plan.target_index];
}

const Endpoint& Fleet::address_of(const FleetProbe& probe) const {
    return addresses_[probe.holder->plan.target_index];
}

Duration Fleet::timeout_max() const noexcept {
    Duration longest;
    for (const FleetProbe& probe : running_)
        longest = std::max(longest, probe.holder->plan.timeout);
    for (const FleetProbe& probe : leaving_)
        longest = std::max(longest, probe.holder->plan.timeout);
    return longest;
}

// A core takes one command per turn; the queue holds a thousand.
void Fleet::send(std::uint32_t core, const CoreCommand& command) {
    while (!cores_[core]->send(command))
        std::this_thread::yield();
}

// -- Names --------------------------------------------------------------------------------------

void Fleet::start_resolver(Duration interval) {
    resolver_ = std::make_unique<Resolver>(interval);
    tell_resolver();
}

void Fleet::tell_resolver() {
    if (resolver_ == nullptr) return;
    std::vector<ResolverName> names;
    for (std::uint32_t index = 0; index < targets_.size(); ++index) {
        const bool is_name = targets_[index] && !parse_endpoint(targets_[index]->host, 0) &&
                             (targets_[index]->udp || targets_[index]->tcp);
        if (!is_name) continue;
        const std::optional<Endpoint> source = parse_endpoint(targets_[index]->source, 0);
        names.push_back(
            {.target_index = index,
             .host = targets_[index]->host,
             .wants_ipv4 = source ? std::optional(is_ipv4(source->address)) : std::nullopt,
             .address = addresses_[index]});
    }
    resolver_->set_names(std::move(names));
}

std::vector<ResolvedTarget> Fleet::pass_on_addresses() {
    std::vector<ResolvedTarget> changes = resolver_->take_changes();
    std::erase_if(changes, [this](const ResolvedTarget& found) {
        const std::uint32_t index = found.target_index;
        return index >= targets_.size() || !targets_[index] || targets_[index]->host != found.host;
    });
    for (const ResolvedTarget& found : changes) {
        const std::uint32_t index = found.target_index;
        addresses_[index] = found.address;
        for (std::uint32_t core = 0; core < cores_.size(); ++core) {
            send(core, {.kind = CoreCommand::Kind::set_address,
                        .index = index,
                        .address = found.address.address,
                        .scope_id = found.address.scope_id});
        }
    }
    return changes;
}

// -- A change is made ---------------------------------------------------------------------------

void Fleet::discard(const FleetChange& change) {
    for (const FleetProbe& probe : change.probes)
        registry_.end(probe.series);
}

void Fleet::commit(FleetChange change) {
    ++generation_;
    remove_targets(change.plan.removed);
    targets_ = std::move(change.plan.targets);
    addresses_ = std::move(change.addresses);
    for (const std::string& interface : change.interfaces) {
        interfaces_.push_back(interface);
        if (interfaces_.size() > limits::interfaces_max) continue;
        const std::uint32_t series = add_interface_series(registry_, interface);
        const std::array<std::uint32_t, 2> ids{series, series + 1};
        exporters_.tell_added(ids);
        for (std::uint32_t core = 0; core < cores_.size(); ++core) {
            send(core, {.kind = CoreCommand::Kind::add_interface, .index = series});
        }
    }
    for (std::uint32_t core = 0; core < change.allow.size(); ++core) {
        std::unique_ptr<AllowList>& list = change.allow[core];
        send(core, {.kind = CoreCommand::Kind::set_allow_list, .allow_list = list.get()});
        traded_.push_back({std::move(list), core, cores_[core]->sent()});
    }
    for (FleetProbe& probe : change.probes)
        waiting_.push_back(std::move(probe));
    begin_waiting();
    tell_resolver();
}

void Fleet::remove_targets(const std::vector<std::uint32_t>& removed) {
    std::vector<bool> is_removed(targets_.size());
    for (const std::uint32_t index : removed)
        is_removed[index] = true;
    const auto stays = [&](const FleetProbe& probe) {
        return !is_removed[probe.holder->plan.target_index];
    };
    const auto never_began = std::stable_partition(waiting_.begin(), waiting_.end(), stays);
    for (auto probe = never_began; probe != waiting_.end(); ++probe)
        registry_.end(probe->series);
    waiting_.erase(never_began, waiting_.end());
    const auto leaves = std::stable_partition(running_.begin(), running_.end(), stays);
    for (auto probe = leaves; probe != running_.end(); ++probe) {
        send(probe->core, {.kind = CoreCommand::Kind::remove_probe, .probe = probe->holder.get()});
        leaving_.push_back(std::move(*probe));
    }
    running_.erase(leaves, running_.end());
}

// Those whose name nobody has any more.
void Fleet::begin_waiting() {
    if (waiting_.empty()) return;
    std::unordered_set<std::string_view> taken;
    for (const FleetProbe& probe : leaving_)
        taken.insert(probe.name);
    for (const FleetProbe& probe : ending_)
        taken.insert(probe.name);
    const auto stays = [&](const FleetProbe& probe) { return taken.contains(probe.name); };
    const auto begins = std::stable_partition(waiting_.begin(), waiting_.end(), stays);
    std::vector<FleetProbe> beginning(std::make_move_iterator(begins),
                                      std::make_move_iterator(waiting_.end()));
    waiting_.erase(begins, waiting_.end());
    if (!beginning.empty()) ++generation_;
    begin_series(beginning);
    for (FleetProbe& probe : beginning) {
        send(probe.core, {.kind = CoreCommand::Kind::add_probe, .probe = probe.holder.get()});
        // Made with the address of back then, if it is known by name.
        const Endpoint& address = address_of(probe);
        if (!parse_endpoint(target_of(probe).host, 0) && !is_unspecified(address)) {
            send(probe.core, {.kind = CoreCommand::Kind::set_address,
                              .index = probe.holder->plan.target_index,
                              .address = address.address,
                              .scope_id = address.scope_id});
        }
        running_.push_back(std::move(probe));
    }
}

void Fleet::tell_begin(const std::vector<FleetProbe>& probes) const {
    std::vector<SeriesBegin> series;
    for (const FleetProbe& probe : probes) {
        for (const std::uint32_t id : ids_of(probe.series)) {
            series.push_back(
                {.series_id = id, .kind = *registry_.kind_of(id), .target = &target_of(probe)});
        }
    }
    events_->begin(series);
}

void Fleet::begin_series(const std::vector<FleetProbe>& probes) {
    if (probes.empty()) return;
    std::vector<std::uint32_t> ids;
    for (const FleetProbe& probe : probes) {
        registry_.begin(probe.series);
        append_ids(probe.series, ids);
    }
    if (events_ != nullptr) tell_begin(probes);
    exporters_.tell_added(ids);
}

// -- Afterwards ---------------------------------------------------------------------------------

bool Fleet::advance() {
    std::erase_if(traded_, [&](const Traded& traded) {
        return cores_[traded.core]->has_applied(traded.commands);
    });
    const auto retired =
        std::stable_partition(leaving_.begin(), leaving_.end(),
                              [](const FleetProbe& probe) { return !probe.holder->is_retired(); });
    std::vector<std::uint32_t> ids;
    for (auto probe = retired; probe != leaving_.end(); ++probe) {
        add_to(gone_[probe->core], probe->holder->counters);
        append_ids(probe->series, ids);
        probe->holder.reset();
        ending_.push_back(std::move(*probe));
    }
    leaving_.erase(retired, leaving_.end());
    if (!ids.empty() && events_ != nullptr) events_->end(ids);
    if (!ending_.empty() && (events_ == nullptr || events_->has_ended())) end_series();
    begin_waiting();
    return !leaving_.empty() || !ending_.empty() || !waiting_.empty() || !traded_.empty();
}

void Fleet::end_series() {
    std::vector<std::uint32_t> ids;
    for (const FleetProbe& probe : ending_) {
        append_ids(probe.series, ids);
        registry_.end(probe.series);
    }
    exporters_.tell_removed(ids);
    ending_.clear();
}

}  // namespace latmon
