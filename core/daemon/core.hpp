// SPDX-License-Identifier: Apache-2.0
//
// Everything that one core-thread runs: a reactor with its probes and reflectors, over whatever
// ring and clock it is given. CoreThread gives it io_uring and the kernel's clocks; scenario tests
// give it a simulated network and virtual time, and so run this very code. Built before the start
// barrier; allocates nothing afterwards. Used on one core-thread.
#pragma once

#include "base/error.hpp"
#include "config/plan.hpp"
#include "daemon/node_interval.hpp"
#include "daemon/probe_totals.hpp"
#include "exporter/plugin_counters.hpp"
#include "probe/allow_list.hpp"
#include "probe/clock_series.hpp"
#include "probe/probe.hpp"
#include "probe/rate_limiter.hpp"
#include "probe/tcp_reflector.hpp"
#include "probe/udp_reflector.hpp"

#include <memory>
#include <span>
#include <vector>

namespace latmon {

// What the main-thread tells a core-thread, through a queue of its own.
struct CoreCommand {
    enum class Kind : std::uint8_t {
        set_address,   // `index` of Plan::targets now has this address.
        set_clock,     // What was found out about our wall clock.
        stop_sending,  // Send no more probes; go on reflecting.
        quit           // Leave the loop.
    };
    Kind kind = Kind::quit;
    std::uint32_t index = 0;
    AddressBytes address{};
    std::uint32_t scope_id = 0;
    LocalClock clock{};
};

// What differs between cores, and between the daemon and a scenario test.
struct CoreOptions {
    std::uint32_t core_index = 0;
    std::vector<SampleQueue*> queues{};  // One per exporter.
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
    // Those that this core tells of, of each exporter: they are the node's, and one core is enough.
    std::vector<const PluginCounters*> plugin_counters{};
};

// Where the samples of a plan find their series: probes first, by their index, then these.
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

class Core final : private Reactor::Observer {
public:
    // `plan`, `ring` and `clock` outlive it. Opens nothing yet. [set-up]
    Core(const Plan& plan, const CoreOptions& options, Ring& ring, const Clock& clock);
    ~Core();
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    // Binds and listens. Errors carry ExitCode::permission and name the port. [set-up]
    [[nodiscard]] Result<void> open_listeners(std::span<const ListenerPlan> listeners);

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

    // Index: position in the CorePlan's probes. Readable by any thread.
    [[nodiscard]] const ProbeCounters& counters(std::size_t probe) const noexcept {
        return counters_[probe];
    }
    [[nodiscard]] const ReflectorCounters& udp_reflector() const noexcept {
        return udp_reflector_.counters();
    }
    [[nodiscard]] const TcpReflectorCounters& tcp_reflector() const noexcept {
        return tcp_reflector_.counters();
    }
    [[nodiscard]] const std::vector<ProbeCounters>& all_counters() const noexcept {
        return counters_;
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
    void make_probes(const CorePlan& core_plan);
    [[nodiscard]] std::unique_ptr<Probe> make_probe(const ProbePlan& probe_plan,
                                                    ProbeCounters& counters,
                                                    std::span<Flight> flights);
    void on_arrival(const LoopStamp& arrival) noexcept override;
    void on_node_timer(Instant now) noexcept;
    void emit_node_samples() noexcept;
    [[nodiscard]] CoreMoment moment() const noexcept;
    void emit_interface_counters(Sample sample) noexcept;
    void emit_plugin_counters(Sample sample) noexcept;

    const Plan& plan_;
    const std::uint32_t core_index_;
    std::vector<std::byte> zeros_;
    const std::vector<HmacKey> keys_;
    const std::vector<std::uint32_t> interface_of_probe_;
    const std::vector<const PluginCounters*> plugin_counters_;
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
    std::vector<ProbeCounters> counters_;
    std::vector<Flight> flights_;  // Of all probes, one after the other.
    std::vector<std::unique_ptr<Probe>> probes_;
    MethodTimer<&Core::on_node_timer> node_timer_{*this, false};
    Instant node_due_;
    ProbeTotals totals_;      // Of the reading under way.
    CoreMoment last_moment_;  // Of the one before.
    bool is_stopping_ = false;
    bool is_quitting_ = false;
};

}  // namespace latmon
