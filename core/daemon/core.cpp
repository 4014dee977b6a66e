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

using Keys = std::vector<std::unique_ptr<const HmacKey>>;

Keys own_keys(const std::vector<HmacKey>& given) {
    Keys keys;
    for (const HmacKey& key : given)
        keys.push_back(std::make_unique<const HmacKey>(key));
    return keys;
}

ReflectorKeys reflector_keys(const Plan& plan, const Keys& keys) {
    ReflectorKeys all;
    for (std::size_t index = 0; index < plan.reflector.keys.size(); ++index) {
        const auto key = static_cast<std::size_t>(plan.reflector_keys[index]);
        all.add(plan.reflector.keys[index].prefixes, keys[key].get());
    }
    return all;
}

std::vector<SampleQueue*> queues_of(const std::vector<SampleConsumer>& consumers) {
    std::vector<SampleQueue*> queues;
    queues.reserve(consumers.size());
    for (const SampleConsumer& consumer : consumers)
        queues.push_back(consumer.queue);
    return queues;
}

// A probe that starts while others run has its first slot no sooner: as after the start of all.
constexpr Duration start_delay = Duration::from_ms(20);

// Probes that leave are looked at so many at a time.
constexpr std::size_t leaving_per_turn = 64;

// The last of the probe's slots-to-be before its first, on its own grid: nothing is missed.
Instant origin_of(const ProbePlan& plan, Instant origin, Instant not_before) noexcept {
    const Duration behind = not_before - (origin + plan.phase);
    if (behind.ns <= 0) return origin;
    return origin + plan.interval * ((behind.ns + plan.interval.ns - 1) / plan.interval.ns);
}

}  // namespace

CoreSeries default_series(const Plan& plan, std::size_t interface_count) {
    CoreSeries series{.udp_reflection = udp_reflection_series(plan),
                      .tcp_reflection = tcp_reflection_series(plan),
                      .node = first_node_series(plan)};
    for (std::uint32_t index = 0; index < interface_count; ++index) {
        series.interfaces.push_back(first_node_series(plan) + node_counter_count() + 2 * index);
    }
    return series;
}

Core::Core(const Plan& plan, const CoreOptions& options, Ring& ring, const Clock& clock)
    : node_name_(plan.name),
      reflector_config_(plan.reflector),
      node_interval_(plan.node_interval),
      series_(options.series ? *options.series : default_series(plan, options.interfaces.size())),
      interface_series_(series_.interfaces),
      figures_(options.figures),
      is_compatible_(!std::ranges::none_of(plan.exporters, &ExporterConfig::is_compatible)),
      has_shared_ports_(plan.cores.size() > 1),
      zeros_(limits::probe_bytes_max),
      keys_(own_keys(options.keys)),
      ring_(ring),
      clock_(clock),
      reactor_(ring, clock, pacing_mode(plan.precision), options.timers_max,
               plan.cores[options.core_index].cpu),
      outlet_(queues_of(options.consumers), options.stats_queue),
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
               .peer_series = options.peer_series,
               .node_name = node_name_},
      allow_list_(reflector_config_, static_cast<std::uint32_t>(plan.targets.size()),
                  options.hash_key),
      rate_limiter_(reflector_config_, options.hash_key),
      own_ports_(udp_ports(plan)),
      reflector_keys_(reflector_keys(plan, keys_)),
      rules_{.allow_list = allow_list_,
             .rate_limiter = rate_limiter_,
             .own_ports = own_ports_,
             .policy = reflector_config_,
             .keys = reflector_keys_},
      udp_reflector_(context_, rules_, options.hash_key, series_.udp_reflection, options.peers),
      tcp_reflector_(context_, rules_, series_.tcp_reflection),
      consumers_(options.consumers),
      totals_(options.interfaces.size()) {
    context_.own_clock.set(options.local_clock);
    reactor_.set_observer(this);
    consumers_.reserve(std::max<std::size_t>(limits::consumers_max, consumers_.size()));
    interface_series_.reserve(limits::interfaces_max);
    make_probes(plan, options);
}

Core::~Core() = default;

void Core::make_probes(const Plan& plan, const CoreOptions& options) {
    const std::vector<ProbePlan>& plans = plan.cores[options.core_index].probes;
    const std::vector<std::uint32_t>& interfaces = options.interface_of_probe;
    const std::size_t probes_max = plans.size() + options.spare_probes;
    probes_.reserve(probes_max);
    leaving_.reserve(probes_max);
    for (std::size_t index = 0; index < plans.size(); ++index) {
        ProbePlan probe = plans[index];
        if (!options.series) {
            probe.series_id = probe.probe_index;
            probe.clock_series_id =
                first_clock_series(plan) + probe.probe_index * clock_series_per_probe;
        }
        planned_.push_back(std::make_unique<ProbeHolder>(
            std::move(probe), index < interfaces.size() ? interfaces[index] : no_interface));
        make_probe(*planned_.back());
        planned_.back()->place = static_cast<std::uint32_t>(probes_.size());
        probes_.push_back(planned_.back().get());
        if (plans[index].kind != ProbeKind::udp) ++streams_;
    }
    // A target is allowed to probe us, whichever core its own probes are on.
    for (const CorePlan& any_core : plan.cores) {
        for (const ProbePlan& probe : any_core.probes) {
            if (!probe.address) continue;
            allow_list_.set_target_address(probe.target_index, probe.address->address);
        }
    }
}

// What it reads of the context is constant once set-up is over, but for the keys.
void Core::make_probe(ProbeHolder& holder) {
    context_.keys = keys_;
    const std::span<Flight> flights(holder.flights.get(), holder.plan.in_flight_slots);
    switch (holder.plan.kind) {
        case ProbeKind::udp:
            holder.probe =
                std::make_unique<UdpProbe>(context_, holder.plan, holder.counters, flights);
            return;
        case ProbeKind::tcp:
            holder.probe =
                std::make_unique<TcpProbe>(context_, holder.plan, holder.counters, flights);
            return;
        case ProbeKind::tcp_connect:
            holder.probe = std::make_unique<ConnectProbe>(context_, holder.plan, holder.counters);
            return;
    }
    LATMON_ASSERT(false);
}

void Core::set_key(std::size_t index, std::unique_ptr<const HmacKey> key) {
    if (index >= keys_.size()) keys_.resize(index + 1);
    keys_[index] = std::move(key);
}

Result<void> Core::open_listeners(std::span<const ListenerPlan> listeners) {
    std::uint16_t index = 0;
    for (const ListenerPlan& listener : listeners) {
        const SocketOptions options{.local = listener.endpoint,
                                    .is_ipv6 = !is_ipv4(listener.endpoint.address),
                                    .is_shared = has_shared_ports_,
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
    for (ProbeHolder* const holder : probes_)
        holder->probe->open_path();
}

void Core::start(Instant origin) noexcept {
    // What came while everything was being set up has waited for an unknown time: answering it now
    // would sell our start as the network's delay.
    udp_reflector_.set_discarding(true);
    reactor_.turn(clock_.now());
    udp_reflector_.set_discarding(false);
    choose_patience();
    origin_ = origin;
    for (ProbeHolder* const holder : probes_)
        holder->probe->start(origin);
    if (node_interval_.ns > 0) {
        last_moment_ = moment();
        node_due_ = origin + node_interval_;
        reactor_.timers().arm(node_timer_, node_due_);
    }
}

void Core::turn(Instant limit) noexcept {
    reactor_.turn(has_work_ ? clock_.now() : limit);
    if (!leaving_.empty()) look_at_leaving();
}

// Whether the kernel says of everything that this core waits for when it arrived, and nobody asks
// first for what an application would have seen (Sample::rtt_user_ns), as the ancestor's shape
// does. A connection's beginning is stamped by nobody.
void Core::choose_patience() noexcept {
    const bool may_be_patient = probes_.size() > limits::lone_probes_per_core && streams_ == 0 &&
                                context_.uses_kernel_stamps && ring_.stamp_ability().has_rx &&
                                !is_compatible_;
    reactor_.set_patience(Duration{may_be_patient ? limits::reply_patience_ns : 0});
}

// -- Probes that come and go --------------------------------------------------------------------

// At its own place of the schedule that all have: as if it had been there from the start.
void Core::add_probe(ProbeHolder& holder) noexcept {
    LATMON_ASSERT(probes_.size() < probes_.capacity());
    holder.place = static_cast<std::uint32_t>(probes_.size());
    probes_.push_back(&holder);
    if (holder.plan.kind != ProbeKind::udp) ++streams_;
    totals_.begin();
    choose_patience();
    holder.probe->open_path();
    if (is_stopping_) {
        holder.probe->stop_sending();
        return;
    }
    const Instant not_before = clock_.now() + start_delay;
    holder.probe->start(origin_of(holder.plan, origin_, not_before));
}

void Core::remove_probe(ProbeHolder& holder) noexcept {
    LATMON_ASSERT(leaving_.size() < leaving_.capacity());
    holder.probe->stop_sending();
    leaving_.push_back(&holder);
    has_work_ = true;
}

// A few at a time: sockets are closed here, and what is due must not wait for many of them. A
// probe's end comes by an event, a reply or a timer, after which there is a turn.
void Core::look_at_leaving() noexcept {
    has_work_ = false;
    bool has_closed = false;
    const std::size_t looks = std::min(leaving_.size(), leaving_per_turn);
    for (std::size_t look = 0; look < looks && !leaving_.empty(); ++look) {
        if (next_leaving_ >= leaving_.size()) next_leaving_ = 0;
        ProbeHolder& holder = *leaving_[next_leaving_];
        if (holder.is_closing && holder.probe->is_closed()) {
            leaving_[next_leaving_] = leaving_.back();
            leaving_.pop_back();
            leave_probes(holder);
            has_work_ = true;
            continue;
        }
        ++next_leaving_;
        if (holder.is_closing || !holder.probe->is_idle()) continue;
        if (!has_closed) {
            holder.is_closing = true;
            holder.probe->close();
            has_closed = true;
        }
        has_work_ = true;
    }
    // More than were looked at: they may have come to their end meanwhile.
    if (leaving_.size() > leaving_per_turn) has_work_ = true;
    if (leaving_.empty()) has_work_ = false;
}

// Its accounts stay in the core's sums; the holder is the main-thread's again.
void Core::leave_probes(ProbeHolder& holder) noexcept {
    ProbeHolder* const last = probes_.back();
    probes_[holder.place] = last;
    last->place = holder.place;
    probes_.pop_back();
    if (holder.plan.kind != ProbeKind::udp) --streams_;
    totals_.retire(holder);
    totals_.begin();
    choose_patience();
    holder.is_retired_flag.store(true, std::memory_order_release);
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
            for (ProbeHolder* const holder : probes_)
                holder->probe->stop_sending();
            return;
        case CoreCommand::Kind::set_clock:
            context_.own_clock.set(command.clock);
            return;
        case CoreCommand::Kind::set_address:
            set_address(command);
            return;
        case CoreCommand::Kind::add_probe:
            add_probe(*command.probe);
            return;
        case CoreCommand::Kind::remove_probe:
            remove_probe(*command.probe);
            return;
        case CoreCommand::Kind::replace_queue:
            replace_queue(command);
            return;
        case CoreCommand::Kind::set_stats_queue:
            outlet_.set_stats(*command.consumer.queue);
            return;
        case CoreCommand::Kind::set_allow_list:
            std::swap(allow_list_, *command.allow_list);
            return;
        case CoreCommand::Kind::add_interface:
            LATMON_ASSERT(interface_series_.size() < interface_series_.capacity());
            interface_series_.push_back(command.index);
            totals_.add_interface();
            totals_.begin();
            return;
    }
}

void Core::set_address(const CoreCommand& command) noexcept {
    allow_list_.set_target_address(command.index, command.address);
    for (ProbeHolder* const holder : probes_) {
        if (holder->plan.target_index != command.index) continue;
        holder->probe->set_address({.address = command.address,
                                    .scope_id = command.scope_id,
                                    .port = holder->plan.port,
                                    .padding = 0});
    }
}

// Between two samples: whoever takes another's place misses none.
void Core::replace_queue(const CoreCommand& command) noexcept {
    if (command.former != nullptr) {
        outlet_.remove(*command.former);
        std::erase_if(consumers_, [&](const SampleConsumer& consumer) {
            return consumer.queue == command.former;
        });
    }
    if (command.consumer.queue == nullptr) return;
    LATMON_ASSERT(consumers_.size() < consumers_.capacity());
    outlet_.add(*command.consumer.queue);
    consumers_.push_back(command.consumer);
}

bool Core::is_idle() const noexcept {
    return is_stopping_ && std::ranges::all_of(probes_, [](const ProbeHolder* holder) {
               return holder->probe->is_idle();
           });
}

}  // namespace latmon
