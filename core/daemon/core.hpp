// SPDX-License-Identifier: Apache-2.0
//
// Everything that one core-thread runs: a reactor with its probes and reflectors, over whatever
// ring and clock it is given. CoreThread gives it io_uring and the kernel's clocks; scenario tests
// give it a simulated network and virtual time, and so run this very code. Built before the start
// barrier; allocates nothing afterwards: probes that come later are made by the main-thread, and
// destroyed by it. Used on one core-thread; knows the plan that it was built from no more.
#pragma once

#include "base/error.hpp"
#include "config/plan.hpp"
#include "daemon/node_interval.hpp"
#include "daemon/probe_holder.hpp"
#include "daemon/probe_totals.hpp"
#include "exporter/plugin_counters.hpp"
#include "probe/allow_list.hpp"
#include "probe/clock_series.hpp"
#include "probe/probe.hpp"
#include "probe/rate_limiter.hpp"
#include "probe/tcp_reflector.hpp"
#include "probe/udp_reflector.hpp"

#include <atomic>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace latmon {

inline constexpr std::uint32_t no_series = std::numeric_limits<std::uint32_t>::max();

// Who takes a core's samples, and what is told of it in return.
struct SampleConsumer {
    SampleConsumer() noexcept = default;
    SampleConsumer(SampleQueue* sample_queue, std::uint32_t first_series = no_series,
                   const PluginCounters* plugin_counters = nullptr) noexcept
        : queue(sample_queue), series(first_series), counters(plugin_counters) {}

    SampleQueue* queue = nullptr;
    std::uint32_t series = no_series;  // The first of queue_counter_names; none: nothing is told.
    // Of the plugin's own, for the one core that tells of them: they are the node's; else null.
    const PluginCounters* counters = nullptr;
};

// One figure of the node as a whole, told by the one core that is given it. Written by others.
struct NodeFigure {
    std::uint32_t series = no_series;
    const std::atomic<std::uint64_t>* value = nullptr;
};

// Which series a core's own samples belong to.
struct CoreSeries {
    std::uint32_t udp_reflection = 0;
    std::uint32_t tcp_reflection = 0;
    std::uint32_t node = 0;                   // The first of node_counter_names().
    std::vector<std::uint32_t> interfaces{};  // The first of interface_series_names of each.
};

// What the main-thread tells a core-thread, through a queue of its own.
struct CoreCommand {
    enum class Kind : std::uint8_t {
        set_address,    // `index` of Plan::targets now has this address.
        set_clock,      // What was found out about our wall clock.
        stop_sending,   // Send no more probes; go on reflecting.
        quit,           // Leave the loop.
        add_probe,      // Run `probe`, of make_probe().
        remove_probe,   // Run it no more, and retire it when it has told everything.
        replace_queue,  // `consumer` takes the place of the one with the queue `former`. Without a
                        // queue: there is none in its place; without `former`: it is a new one.
        set_stats_queue,  // The statistics take samples from now on: the queue of `consumer`.
        set_allow_list,   // Trade its content for that of `allow_list`.
        add_interface     // One more is told of; its series are `index` and the next.
    };
    Kind kind = Kind::quit;
    std::uint32_t index = 0;
    AddressBytes address{};
    std::uint32_t scope_id = 0;
    LocalClock clock{};
    ProbeHolder* probe = nullptr;
    SampleConsumer consumer{};
    SampleQueue* former = nullptr;
    AllowList* allow_list = nullptr;
};

// What differs between cores, and between the daemon and a scenario test.
struct CoreOptions {
    std::uint32_t core_index = 0;
    std::vector<SampleConsumer> consumers{};  // One per exporter.
    std::optional<CoreSeries> series{};  // None: by default_series(), and so are those of probes.
    std::vector<NodeFigure> figures{};   // Outlive the core.
    SampleQueue* stats_queue = nullptr;  // Of the aggregator; null: there is none.
    LocalClock local_clock{};            // As surveyed before the start.
    std::vector<HmacKey> keys{};         // Index: as in Plan::key_files.
    bool uses_kernel_stamps = true;
    bool uses_hardware_stamps = false;
    std::uint32_t probe_receive_buffer_bytes = 0;  // SO_RCVBUF of probes; 0: the kernel's choice.
    std::uint64_t boot_nonce = 0;
    HashKey hash_key{};
    std::uint32_t timers_max = limits::deadlines_per_core_max;
    // Which interface each of the core's probes leaves through: index in `interfaces`. Empty: told
    // of none.
    std::vector<std::uint32_t> interface_of_probe{};
    std::vector<std::string> interfaces{};
    PeerQueue* peers = nullptr;  // Gets what peers say who they are; null: nobody wants to know.
    PeerSeries* peer_series = nullptr;  // Of this core; null: peers have no series of their own.
    // So many more probes than the plan's may come, and so many more sockets than its may be open.
    std::uint32_t spare_probes = 0;
    std::uint32_t spare_sockets = 0;
};

// Where the samples of a plan find their series that nobody has given any: probes first, by their
// index, then these.
[[nodiscard]] constexpr std::uint32_t udp_reflection_series(const Plan& plan) noexcept {
    return plan.probe_count;
}
[[nodiscard]] constexpr std::uint32_t tcp_reflection_series(const Plan& plan) noexcept {
    return plan.probe_count + 1;
}
[[nodiscard]] constexpr std::uint32_t first_clock_series(const Plan& plan) noexcept {
    return plan.probe_count + 2;
}
[[nodiscard]] constexpr std::uint32_t first_node_series(const Plan& plan) noexcept {
    const std::uint32_t per_probe = plan.clock.has_series ? clock_series_per_probe : 0;
    return first_clock_series(plan) + plan.probe_count * per_probe;
}

// The series of a plan that nobody has given any.
[[nodiscard]] CoreSeries default_series(const Plan& plan, std::size_t interface_count);

class Core final : private Reactor::Observer {
public:
    // `plan`, `ring` and `clock` outlive it. Opens nothing yet. [set-up]
    Core(const Plan& plan, const CoreOptions& options, Ring& ring, const Clock& clock);
    ~Core();
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    // Binds and listens. Errors carry ExitCode::permission and name the port. [set-up]
    [[nodiscard]] Result<void> open_listeners(std::span<const ListenerPlan> listeners);

    // How many probes there may be at once. [any-thread]
    [[nodiscard]] std::size_t probes_max() const noexcept { return probes_.capacity(); }

    // Opens the paths of all probes whose addresses are known. [set-up]
    void open_paths() noexcept;

    // Starts all probes; slot 0 of each is at `origin` plus its phase. Nothing allocates from here
    // on.
    void start(Instant origin) noexcept;

    // One turn of the loop; waits no longer than until `limit`.
    void turn(Instant limit) noexcept;

    void apply(const CoreCommand& command) noexcept;
    // `quit` was applied, and nothing that we started is left uncounted.
    [[nodiscard]] bool has_quit() const noexcept {
        return is_quitting_ && udp_reflector_.is_idle();
    }
    // Sending was stopped and nothing is in flight.
    [[nodiscard]] bool is_idle() const noexcept;

    // Makes a probe of a holder for this core, to be handed over by add_probe. Keys as they are
    // now. [set-up, main-thread]
    void make_probe(ProbeHolder& holder);
    // What ProbePlan::key_index of probes that are made from now on means; null: none uses it any
    // more. Probes have their keys, and the reflectors theirs, as long as these are not replaced.
    // [set-up, main-thread]
    void set_key(std::size_t index, std::unique_ptr<const HmacKey> key);

    // The probes of the plan, by their position in it, once: whoever takes them destroys them, when
    // the core is gone or has retired them. Otherwise they live as long as the core.
    // [main-thread, after set-up]
    [[nodiscard]] std::vector<std::unique_ptr<ProbeHolder>> take_probes() noexcept {
        return std::move(planned_);
    }

    [[nodiscard]] std::size_t planned_count() const noexcept { return planned_.size(); }
    // Index: position in the CorePlan's probes, of those not taken. Readable by any thread.
    [[nodiscard]] const ProbeCounters& counters(std::size_t probe) const noexcept {
        return planned_[probe]->counters;
    }
    [[nodiscard]] const ReflectorCounters& udp_reflector() const noexcept {
        return udp_reflector_.counters();
    }
    [[nodiscard]] const TcpReflectorCounters& tcp_reflector() const noexcept {
        return tcp_reflector_.counters();
    }
    // Below: read on the core-thread only.
    [[nodiscard]] const Reactor& reactor() const noexcept { return reactor_; }
    [[nodiscard]] const RingCounters& ring_counters() const noexcept { return ring_.counters(); }
    [[nodiscard]] std::uint64_t wall_steps() const noexcept { return wall_watch_.steps(); }
    [[nodiscard]] std::uint64_t suspends() const noexcept { return wall_watch_.suspends(); }
    [[nodiscard]] const OwnClock& own_clock() const noexcept { return context_.own_clock; }
    [[nodiscard]] const CoreCounters& core_counters() const noexcept { return context_.counters; }
    [[nodiscard]] const PeerSeries* peer_series() const noexcept { return context_.peer_series; }
    [[nodiscard]] const SampleQueue* stats_queue() const noexcept { return outlet_.stats(); }
    [[nodiscard]] Instant now() const noexcept { return clock_.now(); }
    [[nodiscard]] Duration thread_cpu() const noexcept { return clock_.thread_cpu(); }
    [[nodiscard]] std::uint32_t udp_session_count() const noexcept {
        return udp_reflector_.session_count();
    }

private:
    void make_probes(const Plan& plan, const CoreOptions& options);
    void start(ProbeHolder& holder, Instant not_before) noexcept;
    void add_probe(ProbeHolder& holder) noexcept;
    void remove_probe(ProbeHolder& holder) noexcept;
    void look_at_leaving() noexcept;
    void leave_probes(ProbeHolder& holder) noexcept;
    void set_address(const CoreCommand& command) noexcept;
    void replace_queue(const CoreCommand& command) noexcept;
    void choose_patience() noexcept;
    void on_arrival(const LoopStamp& arrival) noexcept override;
    void on_node_timer(Instant now) noexcept;
    void emit_node_samples() noexcept;
    [[nodiscard]] CoreMoment moment() const noexcept;
    void emit_interface_counters(Sample sample) noexcept;
    void emit_consumers(Sample sample) noexcept;

    const std::string node_name_;
    const ReflectorConfig reflector_config_;
    const Duration node_interval_;
    const CoreSeries series_;
    std::vector<std::uint32_t> interface_series_;
    const std::vector<NodeFigure> figures_;
    const bool is_compatible_;     // Somebody asks when an application would have seen a reply.
    const bool has_shared_ports_;  // With other cores.
    std::vector<std::byte> zeros_;
    std::vector<std::unique_ptr<const HmacKey>> keys_;
    Ring& ring_;
    const Clock& clock_;
    Reactor reactor_;
    SampleOutlet outlet_;
    WallWatch wall_watch_;
    CoreContext context_;
    AllowList allow_list_;
    RateLimiter rate_limiter_;
    std::vector<std::uint16_t> own_ports_;
    ReflectorKeys reflector_keys_;
    AdmissionRules rules_;
    UdpReflector udp_reflector_;
    TcpReflector tcp_reflector_;
    std::vector<std::unique_ptr<ProbeHolder>> planned_;  // Until somebody takes them.
    std::vector<ProbeHolder*> probes_;                   // That run: room for all there may be.
    std::vector<ProbeHolder*> leaving_;                  // Of these, those that send no more.
    std::size_t next_leaving_ = 0;
    std::size_t streams_ = 0;  // Of them, those not of UDP.
    Instant origin_{};
    bool has_work_ = false;  // That no deadline stands for: the next turn is not to wait.
    std::vector<SampleConsumer> consumers_;
    MethodTimer<&Core::on_node_timer> node_timer_{*this, false};
    Instant node_due_;
    ProbeTotals totals_;      // Of the reading under way.
    CoreMoment last_moment_;  // Of the one before.
    bool is_stopping_ = false;
    bool is_quitting_ = false;
};

}  // namespace latmon
