// SPDX-License-Identifier: Apache-2.0
//
// See sim_ring.hpp. Datagrams first, then streams, then the loop's side; stamps are in
// sim_ring_stamps.cpp.
#include "support/sim_ring.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace latmon::sim {
namespace {

constexpr std::uint8_t initial_ttl = 64;

Octets octets_of(const Message& message) {
    Octets octets;
    const msghdr& header = message.header();
    for (std::size_t part = 0; part < header.msg_iovlen; ++part) {
        const auto* const data = static_cast<const std::byte*>(header.msg_iov[part].iov_base);
        octets.insert(octets.end(), data, data + header.msg_iov[part].iov_len);
    }
    return octets;
}

std::pair<AddressBytes, std::uint16_t> key_of(const Endpoint& endpoint) {
    return {endpoint.address, endpoint.port};
}

}  // namespace

SimRing::SimRing(Simulation& simulation, Directory& directory, Endpoint address,
                 const SimClock& clock)
    : simulation_(simulation), directory_(directory), address_(address), clock_(clock) {}

SimRing::Socket& SimRing::at(SocketId socket) {
    LATMON_ASSERT(socket >= 0 && static_cast<std::size_t>(socket) < sockets_.size());
    return sockets_[static_cast<std::size_t>(socket)];
}

const SimRing::Socket& SimRing::at(SocketId socket) const {
    return const_cast<SimRing*>(this)->at(socket);
}

SocketId SimRing::allocate(bool is_stream, const SocketOptions& options) {
    std::size_t place = 0;
    while (place < sockets_.size() && sockets_[place].is_open)
        ++place;
    if (place == sockets_.size()) sockets_.emplace_back();
    const std::uint32_t generation = sockets_[place].generation + 1;
    sockets_[place] = {.is_open = true, .generation = generation, .is_stream = is_stream};
    Socket& socket = sockets_[place];
    socket.local = address_;
    socket.local.port = options.local.port != 0 ? options.local.port : next_port_++;
    socket.remote = options.remote;
    socket.is_connected = options.remote.port != 0;
    socket.wants_stamps = options.wants_stamps;
    return static_cast<SocketId>(place);
}

Outcome<SocketId> SimRing::open_udp(const SocketOptions& options) noexcept {
    if (refuse_open != 0) return std::unexpected(refuse_open);
    const SocketId socket = allocate(false, options);
    directory_.udp[key_of(at(socket).local)] = {this, socket};
    return socket;
}

Outcome<SocketId> SimRing::open_tcp(const SocketOptions& options) noexcept {
    if (refuse_open != 0) return std::unexpected(refuse_open);
    return allocate(true, options);
}

Outcome<SocketId> SimRing::open_listener(const SocketOptions& options) noexcept {
    const SocketId socket = allocate(true, options);
    at(socket).is_listener = true;
    directory_.listeners[key_of(at(socket).local)] = {this, socket};
    return socket;
}

void SimRing::close(SocketId id) noexcept {
    Socket& socket = at(id);
    LATMON_ASSERT(socket.is_open && socket.receive == nullptr && socket.connect == nullptr &&
                  socket.stamps == nullptr);
    if (!socket.is_stream) directory_.udp.erase(key_of(socket.local));
    if (socket.is_listener) directory_.listeners.erase(key_of(socket.local));
    if (socket.other.ring != nullptr) send_segment(socket, {}, true);
    socket.is_open = false;
}

Endpoint SimRing::peer(SocketId socket) const noexcept {
    return at(socket).remote;
}

Outcome<SocketError> SimRing::take_error(SocketId id) noexcept {
    Socket& socket = at(id);
    if (socket.errors.empty()) return std::unexpected(EAGAIN);
    const SocketError error = socket.errors.front();
    socket.errors.pop_front();
    return error;
}

std::size_t SimRing::open_sockets() const noexcept {
    return static_cast<std::size_t>(std::count_if(
        sockets_.begin(), sockets_.end(), [](const Socket& socket) { return socket.is_open; }));
}

void SimRing::complete(Operation* operation, const Completion& completion) {
    ready_.push_back({operation, completion});
}

// -- Datagrams ----------------------------------------------------------------------------------

void SimRing::prepare_receive_datagrams(Operation& operation, SocketId id) noexcept {
    LATMON_ASSERT(!operation.is_active && at(id).is_open && at(id).receive == nullptr);
    operation.is_active = true;
    at(id).receive = &operation;
    pump(id);
}

void SimRing::prepare_send_datagram(Operation& operation, SocketId id,
                                    const Message& message) noexcept {
    LATMON_ASSERT(!operation.is_active && at(id).is_open);
    operation.is_active = true;
    Socket& socket = at(id);
    Packet packet{.from = socket.local, .to = socket.remote, .octets = octets_of(message)};
    if (message.header().msg_name != nullptr) {
        packet.to = from_sockaddr(*static_cast<const sockaddr*>(message.header().msg_name));
    }
    const int refusal =
        socket.pending_error != 0 ? socket.pending_error : refuse_send(packet.octets);
    socket.pending_error = 0;
    if (refusal != 0) {
        complete(&operation, {.result = -refusal});
        return;
    }
    complete(&operation, {.result = static_cast<std::int32_t>(packet.octets.size())});
    if (lose_tx_stamp(packet.octets)) return;
    plan_stamp(id, queue_delay, message.key(), StampPoint::sent);
    for (const Duration on_link : simulation_.link(packet, simulation_.random())) {
        const Duration delay = queue_delay + on_link;
        simulation_.at(simulation_.now_ns() + delay.ns,
                       [this, packet, id, generation = socket.generation, delay] {
                           const auto found = directory_.udp.find(key_of(packet.to));
                           if (found != directory_.udp.end()) {
                               SimRing& ring = *found->second.ring;
                               ring.deliver(packet, found->second.socket,
                                            ring.at(found->second.socket).generation);
                           } else if (sends_icmp) {
                               simulation_.at(simulation_.now_ns() + delay.ns,
                                              [=, this] { refuse(packet, id, generation); });
                           }
                       });
    }
}

void SimRing::deliver(Packet packet, SocketId id, std::uint32_t generation) {
    Socket& socket = at(id);
    if (!socket.is_open || socket.generation != generation) return;
    // A connected socket takes packets from its peer only.
    if (socket.remote.port != 0 && key_of(socket.remote) != key_of(packet.from)) return;
    const bool is_full = receive_limit != 0 && socket.unread >= receive_limit;
    if (is_full || arrivals_to_drop > 0) {
        if (arrivals_to_drop > 0) --arrivals_to_drop;
        ++socket.drops;
        return;
    }
    ++socket.unread;
    Received received{.packet = std::move(packet), .socket = id, .generation = generation};
    received.drops = socket.drops;
    if (socket.wants_stamps && stamp_ability().has_rx) {
        received.arrived_by = StampSource::kernel;
        received.arrived = clock_.kernel_now();
    }
    if (read_delay == Duration{}) {
        receive(std::move(received));
    } else {
        simulation_.at(simulation_.now_ns() + read_delay.ns,
                       [this, received = std::move(received)] { receive(received); });
    }
}

void SimRing::receive(Received received) {
    const SocketId id = received.socket;
    if (!at(id).is_open || at(id).generation != received.generation) return;
    at(id).arrived.push_back(std::move(received));
    pump(id);
}

// An ICMP port-unreachable: an entry in the error queue, and an error for the next call.
void SimRing::refuse(const Packet& packet, SocketId id, std::uint32_t generation) {
    Socket& socket = at(id);
    if (!socket.is_open || socket.generation != generation) return;
    SocketError error{.error_number = ECONNREFUSED, .is_from_network = true};
    error.payload_bytes =
        static_cast<std::uint32_t>(std::min(packet.octets.size(), error.payload.size()));
    std::copy_n(packet.octets.begin(), error.payload_bytes, error.payload.begin());
    error.icmp_type = 3;  // RFC 792: destination unreachable, port.
    error.icmp_code = 3;
    socket.errors.push_back(error);
    tell_error_queue(socket);
    if (socket.receive != nullptr) {
        complete(std::exchange(socket.receive, nullptr), {.result = -ECONNREFUSED});
    } else {
        socket.pending_error = ECONNREFUSED;
    }
}

void SimRing::pump(SocketId id) {
    Socket& socket = at(id);
    if (socket.is_stream) {
        pump_stream(socket);
    } else {
        pump_datagrams(socket);
    }
}

void SimRing::pump_datagrams(Socket& socket) {
    while (socket.receive != nullptr && !socket.arrived.empty()) {
        if (buffers_free == 0) {
            complete(std::exchange(socket.receive, nullptr), {.result = -ENOBUFS});
            return;
        }
        --buffers_free;
        while (buffers_.contains(next_buffer_)) {
            next_buffer_ = static_cast<std::uint16_t>((next_buffer_ + 1U) % 512U);
        }
        const std::uint16_t index = next_buffer_;
        buffers_[index] = std::move(socket.arrived.front());
        Packet& packet = buffers_[index].packet;
        const std::size_t octets = packet.octets.size();
        // A receive buffer is larger than what is in it; a reply may use the room.
        packet.octets.resize(std::max<std::size_t>(octets, limits::stamp_base_bytes));
        socket.arrived.pop_front();
        complete(socket.receive, {.result = static_cast<std::int32_t>(octets),
                                  .has_more = true,
                                  .has_buffer = true,
                                  .buffer_index = index});
    }
}

Datagram SimRing::datagram(const Completion& completion) noexcept {
    Received& received = buffers_.at(completion.buffer_index);
    Packet& packet = received.packet;
    Datagram datagram;
    datagram.arrived_by = received.arrived_by;
    datagram.arrived = received.arrived;
    datagram.has_drops = received.drops > 0;  // The kernel says nothing while there are none.
    datagram.drops = received.drops;
    datagram.payload = std::span(packet.octets).first(static_cast<std::size_t>(completion.result));
    datagram.source = packet.from;
    datagram.local = {.address = packet.to.address};
    datagram.ttl = initial_ttl;
    datagram.traffic_class = packet.traffic_class;
    datagram.has_traffic_class = true;
    return datagram;
}

void SimRing::release_buffer(std::uint16_t buffer_index) noexcept {
    const std::size_t erased = buffers_.erase(buffer_index);
    LATMON_ASSERT(erased == 1);  // Twice would give one buffer to two datagrams.
    ++buffers_free;
}

// -- Streams ------------------------------------------------------------------------------------

void SimRing::prepare_accept(Operation& operation, SocketId id) noexcept {
    operation.is_active = true;
    operation.follow = Operation::Follow::accept;
    at(id).accept = &operation;
}

void SimRing::prepare_connect(Operation& operation, SocketId id, const Endpoint& remote) noexcept {
    LATMON_ASSERT(!operation.is_active);
    operation.is_active = true;
    Socket& socket = at(id);
    socket.connect = &operation;
    socket.remote = remote;
    const Packet syn{.from = socket.local, .to = remote, .octets = {}};
    const std::uint32_t generation = socket.generation;
    for (const Duration delay : simulation_.link(syn, simulation_.random())) {
        simulation_.at(simulation_.now_ns() + delay.ns, [=, this, client = socket.local] {
            const auto found = directory_.listeners.find(key_of(remote));
            if (found != directory_.listeners.end()) {
                found->second.ring->arrive_syn(found->second, this, id, generation, client);
                return;
            }
            simulation_.at(simulation_.now_ns() + delay.ns,
                           [=, this] { finish_connect(id, generation, -ECONNREFUSED, {}, 0); });
        });
        return;  // A second SYN would change nothing.
    }
}

void SimRing::arrive_syn(Directory::Place listener, SimRing* from, SocketId from_socket,
                         std::uint32_t generation, Endpoint client) {
    const SocketId id = allocate(true, {.local = at(listener.socket).local,
                                        .wants_stamps = at(listener.socket).wants_stamps});
    Socket& socket = at(id);
    socket.remote = client;
    socket.other = {from, from_socket};
    socket.other_generation = generation;
    if (at(listener.socket).accept != nullptr) {
        complete(at(listener.socket).accept, {.result = id, .has_more = true});
    }
    const Duration back = stream_delay(socket, {});
    simulation_.at(simulation_.now_ns() + back.ns, [=, this, mine = socket.generation] {
        from->finish_connect(from_socket, generation, 0, {this, id}, mine);
    });
}

void SimRing::finish_connect(SocketId id, std::uint32_t generation, int result,
                             Directory::Place other, std::uint32_t other_generation) {
    Socket& socket = at(id);
    if (!socket.is_open || socket.generation != generation || socket.connect == nullptr) return;
    socket.other = other;
    socket.other_generation = other_generation;
    complete(std::exchange(socket.connect, nullptr), {.result = result});
}

Duration SimRing::stream_delay(const Socket& socket, const Octets& octets) {
    const Packet packet{.from = socket.local,
                        .to = socket.remote,
                        .octets = octets,
                        .traffic_class = 0,
                        .is_stream = true};
    const std::vector<Duration> delays = simulation_.link(packet, simulation_.random());
    // A lost segment is sent again after a while; nobody but the clock notices.
    return delays.empty() ? Duration::from_ms(200) : delays.front();
}

Duration SimRing::send_segment(Socket& socket, Octets octets, bool is_end) {
    const Directory::Place other = socket.other;
    const std::uint32_t generation = socket.other_generation;
    const Duration delay = queue_delay + stream_delay(socket, octets);
    const std::int64_t arrives =
        std::max(simulation_.now_ns() + delay.ns, socket.stream_clear_at_ns);
    socket.stream_clear_at_ns = arrives;
    simulation_.at(arrives, [=, octets = std::move(octets)] {
        Socket& there = other.ring->at(other.socket);
        if (!there.is_open || there.generation != generation) return;
        there.stream.insert(there.stream.end(), octets.begin(), octets.end());
        there.segments.push_back({octets.size(), other.ring->clock_.kernel_now()});
        there.is_peer_gone |= is_end;
        other.ring->pump(other.socket);
    });
    return Duration{arrives - simulation_.now_ns()};
}

void SimRing::prepare_send_stream(Operation& operation, SocketId id,
                                  const Message& message) noexcept {
    LATMON_ASSERT(!operation.is_active);
    operation.is_active = true;
    Socket& socket = at(id);
    if (socket.other.ring == nullptr || socket.is_peer_gone) {
        complete(&operation, {.result = -EPIPE});
        return;
    }
    if (holds_streams) {
        socket.send = &operation;
        return;
    }
    const Octets octets = octets_of(message);
    complete(&operation, {.result = static_cast<std::int32_t>(octets.size())});
    const std::size_t cut =
        simulation_.segment_bytes == 0 ? octets.size() : simulation_.segment_bytes;
    Duration arrives_in{};
    for (std::size_t start = 0; start < octets.size(); start += cut) {
        const auto first = octets.begin() + static_cast<std::ptrdiff_t>(start);
        const std::size_t count = std::min(cut, octets.size() - start);
        arrives_in =
            send_segment(socket, Octets(first, first + static_cast<std::ptrdiff_t>(count)), false);
    }
    if (!socket.stamps_tx) return;
    socket.stamped_octets += static_cast<std::uint32_t>(octets.size());
    plan_stamp(id, queue_delay, socket.stamped_octets - 1, StampPoint::sent);
    plan_stamp(id, arrives_in * 2 - queue_delay, socket.stamped_octets - 1, StampPoint::acked);
}

void SimRing::prepare_receive_stream(Operation& operation, SocketId id,
                                     StreamInput& input) noexcept {
    LATMON_ASSERT(!operation.is_active && at(id).receive == nullptr && !input.buffer().empty());
    operation.is_active = true;
    at(id).receive = &operation;
    at(id).receive_into = &input;
    pump(id);
}

void SimRing::pump_stream(Socket& socket) {
    if (socket.receive == nullptr || (socket.stream.empty() && !socket.is_peer_gone)) return;
    StreamInput& input = *socket.receive_into;
    const std::size_t count = std::min(socket.stream.size(), input.buffer().size());
    std::copy_n(socket.stream.begin(), count, input.buffer().begin());
    const bool is_stamped = socket.wants_stamps && stamp_ability().has_rx && count > 0;
    input.header().msg_controllen = 0;
    if (is_stamped) put_arrival(socket, count, input);
    for (std::size_t left = count; left > 0;) {
        Segment& segment = socket.segments.front();
        const std::size_t taken = std::min(left, segment.octets);
        left -= taken;
        segment.octets -= taken;
        if (segment.octets == 0) socket.segments.pop_front();
    }
    socket.stream.erase(socket.stream.begin(),
                        socket.stream.begin() + static_cast<std::ptrdiff_t>(count));
    complete(std::exchange(socket.receive, nullptr), {.result = static_cast<std::int32_t>(count)});
}

void SimRing::reset_streams() {
    for (std::size_t id = 0; id < sockets_.size(); ++id) {
        Socket& socket = sockets_[id];
        if (!socket.is_open || !socket.is_stream || socket.is_listener) continue;
        socket.is_peer_gone = true;
        pump(static_cast<SocketId>(id));
    }
}

void SimRing::prepare_cancel(Operation& operation) noexcept {
    for (Socket& socket : sockets_) {
        if (socket.receive == &operation)
            socket.receive = nullptr;
        else if (socket.connect == &operation)
            socket.connect = nullptr;
        else if (socket.send == &operation)
            socket.send = nullptr;
        else if (socket.stamps == &operation)
            socket.stamps = nullptr;
        else
            continue;
        complete(&operation, {.result = -ECANCELED});
        return;
    }
}

// -- The loop -----------------------------------------------------------------------------------

void SimRing::wait(Instant until, Duration patience) noexcept {
    ++counters_.waits;
    patient_until_ = std::min(until, Instant{simulation_.now_ns()} + patience);
    wake_at_ = until;
    is_woken_ = false;
}

void SimRing::poll() noexcept {
    wake_at_ = {};
    simulation_.run_due();
}

std::uint32_t SimRing::drain(std::span<Ready> ready) noexcept {
    std::uint32_t count = 0;
    for (; count < ready.size() && !ready_.empty(); ++count) {
        ready[count] = ready_.front();
        ready_.pop_front();
        if (!ready[count].completion.has_buffer) continue;
        const Received& received = buffers_.at(ready[count].completion.buffer_index);
        Socket& socket = at(received.socket);
        if (socket.generation == received.generation) --socket.unread;
    }
    return count;
}

}  // namespace latmon::sim
