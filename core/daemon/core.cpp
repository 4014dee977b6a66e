// SPDX-License-Identifier: Apache-2.0
//
// Assembles a core from its plan; see core.hpp.
#include "daemon/core.hpp"

#include "base/assert.hpp"
#include "daemon/node_counters.hpp"
#include "probe/connect_probe.hpp"
#include "probe/tcp_probe.hpp"
#include "probe/udp_probe.hpp"

#include <algorithm>

namespace latmon {
namespace {

Pacing::Mode pacing_mode(Precision precision) noexcept {
    switch (precision) {
        case Precision::power:
            return Pacing::Mode::power;
        case Precision::balanced:
            return Pacing::Mode::balanced;
        case Precision::spin:
            return Pacing::Mode::spin;
    }
    LATMON_ASSERT(false);
    return Pacing::Mode::balanced;
}

std::vector<std::uint16_t> udp_ports(const Plan& plan) {
    std::vector<std::uint16_t> ports;
    for (const ListenerPlan& listener : plan.listeners) {
        const std::uint16_t port = listener.endpoint.port;
        const bool is_known = std::find(ports.begin(), ports.end(), port) != ports.end();
        if (!listener.is_tcp && !is_known) ports.push_back(port);
    }
    return ports;
}

ReflectorKeys reflector_keys(const Plan& plan, const std::vector<HmacKey>& keys) {
    ReflectorKeys all;
    for (std::size_t index = 0; index < plan.reflector.keys.size(); ++index) {
        const auto key = static_cast<std::size_t>(plan.reflector_keys[index]);
        all.add(plan.reflector.keys[index].prefixes, &keys[key]);
    }
    return all;
}

std::size_t flights_needed(const CorePlan& core_plan) noexcept {
    std::size_t count = 0;
    for (const ProbePlan& probe : core_plan.probes)
        count += probe.in_flight_slots;
    return count;
}

// Whether the kernel says of everything that this core waits for when it arrived, and nobody asks
// first for what an application would have seen (Sample::rtt_user_ns), as the ancestor's shape
// does. A connection's beginning is stamped by nobody.
bool may_be_patient(const Plan& plan, const CorePlan& core, const CoreContext& context) {
    return core.probes.size() > limits::lone_probes_per_core && context.uses_kernel_stamps &&
           context.reactor.ring().stamp_ability().has_rx &&
           std::ranges::none_of(plan.exporters, &ExporterConfig::is_compatible) &&
           std::ranges::all_of(core.probes,
                               [](const ProbePlan& probe) { return probe.kind == ProbeKind::udp; });
}

}  // namespace

Core::Core(const Plan& plan, const CoreOptions& options, Ring& ring, const Clock& clock)
    : plan_(plan),
      core_index_(options.core_index),
      zeros_(limits::probe_bytes_max),
      keys_(options.keys),
      interface_of_probe_(options.interface_of_probe),
      plugin_counters_(options.plugin_counters),
      ring_(ring),
      clock_(clock),
      reactor_(ring, clock, pacing_mode(plan.precision), options.timers_max,
               plan.cores[options.core_index].cpu),
      outlet_(options.queues, options.stats_queue),
      wall_watch_(clock),
      context_{.reactor = reactor_,
               .outlet = outlet_,
               .wall_watch = wall_watch_,
               .zeros = zeros_,
               .core_index = static_cast<std::uint16_t>(options.core_index),
               .boot_nonce = options.boot_nonce,
               .keys = keys_,
               .uses_kernel_stamps = options.uses_kernel_stamps,
               .uses_hardware_stamps = options.uses_hardware_stamps,
               .probe_receive_buffer_bytes = options.probe_receive_buffer_bytes,
               .first_clock_series = first_clock_series(plan),
               .peer_series = options.peer_series,
               .node_name = plan.name},
      allow_list_(plan.reflector, static_cast<std::uint32_t>(plan.targets.size()),
                  options.hash_key),
      rate_limiter_(plan.reflector, options.hash_key),
      own_ports_(udp_ports(plan)),
      reflector_keys_(reflector_keys(plan, keys_)),
      rules_{.allow_list = allow_list_,
             .rate_limiter = rate_limiter_,
             .own_ports = own_ports_,
             .policy = plan.reflector,
             .keys = reflector_keys_},
      udp_reflector_(context_, rules_, options.hash_key, udp_reflection_series(plan),
                     options.peers),
      tcp_reflector_(context_, rules_, tcp_reflection_series(plan)),
      totals_(options.interfaces.size()) {
    context_.own_clock.set(options.local_clock);
    reactor_.set_observer(this);
    make_probes(plan.cores[core_index_]);
}

Core::~Core() = default;

void Core::make_probes(const CorePlan& core_plan) {
    counters_ = std::vector<ProbeCounters>(core_plan.probes.size());
    flights_.resize(flights_needed(core_plan));
    probes_.reserve(core_plan.probes.size());
    std::span<Flight> free_flights(flights_);
    for (std::size_t index = 0; index < core_plan.probes.size(); ++index) {
        const ProbePlan& probe_plan = core_plan.probes[index];
        const std::span<Flight> flights = free_flights.first(probe_plan.in_flight_slots);
        free_flights = free_flights.subspan(probe_plan.in_flight_slots);
        probes_.push_back(make_probe(probe_plan, counters_[index], flights));
    }
    // A target is allowed to probe us, whichever core its own probes are on.
    for (const CorePlan& any_core : plan_.cores) {
        for (const ProbePlan& probe : any_core.probes) {
            if (!probe.address) continue;
            allow_list_.set_target_address(probe.target_index, probe.address->address);
        }
    }
}

std::unique_ptr<Probe> Core::make_probe(const ProbePlan& probe_plan, ProbeCounters& counters,
                                        std::span<Flight> flights) {
    switch (probe_plan.kind) {
        case ProbeKind::udp:
            return std::make_unique<UdpProbe>(context_, probe_plan, counters, flights);
        case ProbeKind::tcp:
            return std::make_unique<TcpProbe>(context_, probe_plan, counters, flights);
        case ProbeKind::tcp_connect:
            return std::make_unique<ConnectProbe>(context_, probe_plan, counters);
    }
    LATMON_ASSERT(false);
    return nullptr;
}

Result<void> Core::open_listeners(std::span<const ListenerPlan> listeners) {
    std::uint16_t index = 0;
    for (const ListenerPlan& listener : listeners) {
        const SocketOptions options{.local = listener.endpoint,
                                    .is_ipv6 = !is_ipv4(listener.endpoint.address),
                                    .is_shared = plan_.cores.size() > 1,
                                    .is_reflector = true,
                                    .wants_stamps = context_.uses_kernel_stamps};
        const Outcome<SocketId> socket =
            listener.is_tcp ? ring_.open_listener(options) : ring_.open_udp(options);
        if (!socket) {
            return fail_errno(ExitCode::permission,
                              "cannot listen on " + to_string(listener.endpoint) +
                                  (listener.is_tcp ? " (TCP)" : " (UDP)"),
                              socket.error());
        }
        listener.is_tcp ? tcp_reflector_.listen(*socket) : udp_reflector_.listen(*socket, index);
        ++index;
    }
    ring_.submit();
    return {};
}

void Core::open_paths() noexcept {
    for (const std::unique_ptr<Probe>& probe : probes_)
        probe->open_path();
}

void Core::start(Instant origin) noexcept {
    // What came while everything was being set up has waited for an unknown time: answering it now
    // would sell our start as the network's delay.
    udp_reflector_.set_discarding(true);
    reactor_.turn(clock_.now());
    udp_reflector_.set_discarding(false);
    if (may_be_patient(plan_, plan_.cores[core_index_], context_)) {
        reactor_.set_patience(Duration{limits::reply_patience_ns});
    }
    for (const std::unique_ptr<Probe>& probe : probes_)
        probe->start(origin);
    if (plan_.node_interval.ns > 0) {
        last_moment_ = moment();
        node_due_ = origin + plan_.node_interval;
        reactor_.timers().arm(node_timer_, node_due_);
    }
}

void Core::turn(Instant limit) noexcept {
    reactor_.turn(limit);
}

// Before anything that arrived is stamped or answered: a step since the last arrival must be known
// by then.
void Core::on_arrival(const LoopStamp&) noexcept {
    if (wall_watch_.look()) context_.own_clock.on_step();
}

void Core::apply(const CoreCommand& command) noexcept {
    switch (command.kind) {
        case CoreCommand::Kind::quit:
            is_quitting_ = true;
            udp_reflector_.stop();
            return;
        case CoreCommand::Kind::stop_sending:
            is_stopping_ = true;
            for (const std::unique_ptr<Probe>& probe : probes_)
                probe->stop_sending();
            return;
        case CoreCommand::Kind::set_clock:
            context_.own_clock.set(command.clock);
            return;
        case CoreCommand::Kind::set_address:
            break;
    }
    allow_list_.set_target_address(command.index, command.address);
    const std::vector<ProbePlan>& plans = plan_.cores[core_index_].probes;
    for (std::size_t index = 0; index < plans.size(); ++index) {
        if (plans[index].target_index != command.index) continue;
        probes_[index]->set_address({.address = command.address,
                                     .scope_id = command.scope_id,
                                     .port = plans[index].port,
                                     .padding = 0});
    }
}

bool Core::is_idle() const noexcept {
    return is_stopping_ && std::all_of(probes_.begin(), probes_.end(),
                                       [](const auto& probe) { return probe->is_idle(); });
}

void Core::on_node_timer(Instant now) noexcept {
    if (!totals_.add_some(counters_, interface_of_probe_)) {
        // Not before the ring was looked at and probes that are due were sent.
        reactor_.timers().arm(node_timer_, now + Duration{1});
        return;
    }
    emit_node_samples();
    totals_.begin();
    // The next one that is still to come: after a stall one reading is as good as many.
    const std::int64_t passed = (now - node_due_) / plan_.node_interval;
    node_due_ = node_due_ + plan_.node_interval * (passed + 1);
    reactor_.timers().arm(node_timer_, node_due_);
}

void Core::emit_node_samples() noexcept {
    const CoreMoment now = moment();
    const IntervalFigures interval = figures_between(last_moment_, now, reactor_.lateness());
    last_moment_ = now;
    reactor_.clear_lateness();
    const NodeReading reading{
        .core = *this, .queues = outlet_.queues(), .probes = totals_, .interval = interval};
    Sample sample{};
    sample.kind = LATMON_KIND_NODE;
    sample.status = LATMON_STATUS_OK;
    sample.core = context_.core_index;
    sample.valid = LATMON_HAS_VALUE;
    sample.time_ns = clock_.wall_now().ns;
    const std::uint32_t count = node_counter_count(outlet_.queues().size());
    for (std::uint32_t counter = 0; counter < count; ++counter) {
        const std::optional<std::int64_t> value = read_node_counter(reading, counter);
        if (!value) continue;
        sample.series_id = first_node_series(plan_) + counter;
        sample.value = *value;
        outlet_.emit(sample);
    }
    sample.series_id = first_node_series(plan_) + count;
    emit_interface_counters(sample);
    emit_plugin_counters(sample);
}

CoreMoment Core::moment() const noexcept {
    const CoreCounters& counters = context_.counters;
    const auto by = [](const auto& stamps, latmon_stamp_t stamp) noexcept {
        return stamps[static_cast<std::size_t>(stamp)].read();
    };
    const auto all = [](const auto& stamps) noexcept {
        std::uint64_t sum = 0;
        for (const PublishedCounter& stamp : stamps)
            sum += stamp.read();
        return sum;
    };
    const RingCounters& ring = ring_.counters();
    const TcpReflectorCounters& tcp = tcp_reflector_.counters();
    const std::uint64_t received = udp_reflector_.counters().received.read() +
                                   tcp.reflected.read() + tcp.reflected_ancestor.read();
    return {.at = clock_.now(),
            .cpu = clock_.thread_cpu(),
            .packets = totals_.sent() + received,
            .ring_calls = ring.submissions + ring.waits + ring.polls,
            .answered = all(counters.t1),
            .stamped_tx = by(counters.t1, LATMON_STAMP_HW) + by(counters.t1, LATMON_STAMP_KERNEL),
            .stamped_rx = by(counters.t4, LATMON_STAMP_HW) + by(counters.t4, LATMON_STAMP_KERNEL)};
}

// In the order of interface_series_names, from the sample's series on.
void Core::emit_interface_counters(Sample sample) noexcept {
    for (const ProbeTotals::Stamped& stamped : totals_.by_interface()) {
        for (const std::uint64_t value : {stamped.tx, stamped.rx}) {
            sample.value = static_cast<std::int64_t>(value);
            outlet_.emit(sample);
            ++sample.series_id;
        }
    }
}

// In the order in which a plugin made them, from the first series of its exporter on.
void Core::emit_plugin_counters(Sample sample) noexcept {
    for (const PluginCounters* const counters : plugin_counters_) {
        for (std::uint32_t index = 0; index < counters->count(); ++index) {
            sample.series_id = counters->first_id() + index;
            sample.value = static_cast<std::int64_t>(counters->value(index));
            outlet_.emit(sample);
        }
    }
}

}  // namespace latmon
