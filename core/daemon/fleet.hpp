// SPDX-License-Identifier: Apache-2.0
//
// The probes of all cores, as the main-thread has them: which targets there are, who runs what,
// what comes and what goes. A target that is the same in every key is not touched. One that changed
// is a target that goes and one that comes; the second waits until the first has told everything,
// so that no exporter ever has two series of the same name.
//
//   prepare() -> [ commit() ]     waiting -> running -> leaving -> ending -> gone
//
// Owns the probes; the cores have them in between. [main-thread]
#pragma once

#include "config/plan.hpp"
#include "daemon/core_thread.hpp"
#include "daemon/exporter_set.hpp"
#include "daemon/key_slots.hpp"
#include "daemon/resolver.hpp"
#include "daemon/series_events.hpp"
#include "sample/series_registry.hpp"

#include <memory>
#include <string>
#include <vector>

namespace latmon {

using CoreThreads = std::vector<std::unique_ptr<CoreThread>>;

// One probe, wherever it is in its life.
struct FleetProbe {
    std::unique_ptr<ProbeHolder> holder;
    std::uint32_t core = 0;
    SeriesGroup series;
    std::string name;  // What its series is known by: target, method and port.
};

// What was found out, and made, before anything is changed.
struct FleetChange {
    PlanChange plan;
    std::vector<FleetProbe> probes;                 // That come.
    std::vector<Endpoint> addresses;                // By target_index; zero: not known.
    std::vector<std::string> interfaces;            // That come.
    std::vector<std::unique_ptr<AllowList>> allow;  // By core.
};

// What all probes of a core that have gone had counted.
struct GoneProbes {
    std::uint64_t count = 0;
    ProbeCounters sums;
};

class Fleet {
public:
    struct Setting {
        bool has_clock_series = true;
        StampPolicy stamps = StampPolicy::automatic;
        std::size_t listeners = 0;  // On every core.
        HashKey hash_key{};
    };

    // All outlive it.
    Fleet(CoreThreads& cores, ExporterSet& exporters, SeriesRegistry& registry);
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    // Gives every probe of `plan` its series, which begin, and the keys their places. Before the
    // exporters and the cores are made.
    [[nodiscard]] Result<std::vector<HmacKey>> set_up(Plan& plan, Setting setting);
    // Takes the probes of the cores, which were launched with a plan of these targets.
    void adopt(std::vector<TargetConfig> targets, std::vector<std::string> interfaces);

    // Somebody beside the exporters who has to know of series; null: nobody. Before adopt().
    void set_series_events(SeriesEvents* events) noexcept { events_ = events; }
    // Tells them of all that run, as if these began now.
    void tell_series() const { tell_begin(running_); }

    // Everything that can fail: compares, reads keys, makes probes. Nothing has changed if it does,
    // and nothing if the outcome goes to discard().
    [[nodiscard]] Result<FleetChange> prepare(const Config& config, bool has_tai);
    void discard(const FleetChange& change);
    void commit(FleetChange change);

    // Takes what has ended further, and starts what has waited for it. True as long as there is
    // something of that kind: call again in some milliseconds.
    bool advance();

    [[nodiscard]] Resolver& resolver() noexcept { return *resolver_; }
    void start_resolver(Duration interval);
    // Passes on what the resolver found, and returns it: targets that there still are.
    std::vector<ResolvedTarget> pass_on_addresses();

    // Those that run, also those that send no more. Their counters are readable at any time.
    [[nodiscard]] const std::vector<FleetProbe>& running() const noexcept { return running_; }
    // Grows with each change of configuration, and whenever running() holds others than before.
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
    [[nodiscard]] const std::vector<FleetProbe>& leaving() const noexcept { return leaving_; }
    // By core.
    [[nodiscard]] const std::vector<GoneProbes>& gone() const noexcept { return gone_; }
    // The target of a probe that runs.
    [[nodiscard]] const TargetConfig& target_of(const FleetProbe& probe) const;
    // Where it is, if that is known; port 0.
    [[nodiscard]] const Endpoint& address_of(const FleetProbe& probe) const;
    [[nodiscard]] const std::vector<std::string>& interfaces() const noexcept {
        return interfaces_;
    }
    [[nodiscard]] Duration timeout_max() const noexcept;

private:
    [[nodiscard]] RunningTargets look_at_running(KeySlots::Files& files) const;
    [[nodiscard]] Result<void> take_keys(FleetChange& change, KeySlots::Files& files);
    [[nodiscard]] std::vector<bool> used_keys() const;
    [[nodiscard]] Result<void> check_room(const FleetChange& change) const;
    static void warn(FleetChange& change);
    void find_addresses(FleetChange& change) const;
    [[nodiscard]] Result<void> find_interfaces(FleetChange& change);
    void make_probes(FleetChange& change);
    void make_allow_lists(const Config& config, FleetChange& change) const;
    void remove_targets(const std::vector<std::uint32_t>& removed);
    void begin_waiting();
    void begin_series(const std::vector<FleetProbe>& probes);
    void tell_begin(const std::vector<FleetProbe>& probes) const;
    [[nodiscard]] static std::string name_of(const TargetConfig& target, const ProbePlan& probe);
    void end_series();
    void send(std::uint32_t core, const CoreCommand& command);
    void tell_resolver();

    CoreThreads& cores_;
    ExporterSet& exporters_;
    SeriesRegistry& registry_;
    SeriesEvents* events_ = nullptr;
    Setting setting_;
    KeySlots key_slots_;
    std::unique_ptr<Resolver> resolver_;
    std::vector<std::optional<TargetConfig>> targets_;  // By target_index.
    std::vector<Endpoint> addresses_;                   // Likewise.
    std::vector<std::string> interfaces_;
    std::vector<SeriesGroup> planned_series_;  // By probe_index; between set_up() and adopt().
    std::vector<bool> reflector_keys_;         // Places of keys that are not of probes.

    std::vector<FleetProbe> waiting_;  // Made; a probe of the same name has not gone yet.
    std::vector<FleetProbe> running_;
    std::uint64_t generation_ = 0;
    std::vector<FleetProbe> leaving_;  // Told to end.
    std::vector<FleetProbe> ending_;   // Through; their series are not yet.
    std::vector<GoneProbes> gone_;

    // Allow-lists that cores trade in, until they have.
    struct Traded {
        std::unique_ptr<AllowList> list;
        std::uint32_t core;
        std::uint64_t commands;
    };
    std::vector<Traded> traded_;
};

}  // namespace latmon
