// SPDX-License-Identifier: Apache-2.0
//
// A Ring whose kernel is a simulation: sockets are entries in a table that all nodes share, what is
// sent becomes events, what arrives becomes completions. It keeps to what io_uring promises and no
// more: multishot receives end when buffers run out or an error comes, cancelled operations
// complete, errors of the network wait in an error queue, which stamps share. One per simulated
// node.
#pragma once

#include "reactor/ring.hpp"
#include "support/simulation.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>

namespace latmon::sim {

class SimRing;

// Who is where: the part of the network that all rings share.
struct Directory {
    struct Place {
        SimRing* ring = nullptr;
        SocketId socket = no_socket;
    };
    std::map<std::pair<AddressBytes, std::uint16_t>, Place> udp;
    std::map<std::pair<AddressBytes, std::uint16_t>, Place> listeners;
};

class SimRing final : public Ring {
public:
    // A host with one address, or two if `second` is given.
    // `clock`: what the host's kernel stamps packets with.
    SimRing(Simulation& simulation, Directory& directory, Endpoint address, const SimClock& clock);

    // -- Faults, set by scenarios --
    // Errno value with which a datagram is refused by the local host, or 0.
    std::function<int(const Octets&)> refuse_send = [](const Octets&) { return 0; };
    // Whether a datagram to a port where nobody listens is answered by ICMP.
    bool sends_icmp = true;
    // Sends on streams never complete: the other end does not read.
    bool holds_streams = false;
    // Errno value with which sockets cannot be opened, or 0.
    int refuse_open = 0;
    std::uint32_t buffers_free = 512;
    // The kernel takes no stamps at all; or else in a lesser way. Before sockets are opened.
    bool refuse_stamps = false;
    bool has_stamps_in_error_queue = false;
    bool has_stamp_keys = true;
    // From a send until the packet leaves the host, and is stamped.
    Duration queue_delay{};
    // From a datagram's arrival, and its stamp, until the loop can get it.
    Duration read_delay{};
    // Whether a packet is lost between its send, which succeeds, and the wire: it has no stamp.
    std::function<bool(const Octets&)> lose_tx_stamp = [](const Octets&) { return false; };
    // Datagrams that the loop has not got yet, per socket; what comes more is dropped. 0: no limit.
    std::uint32_t receive_limit = 0;
    // So many of the next datagrams find no room, whatever the limit.
    std::uint32_t arrivals_to_drop = 0;

    // -- The scenario's driver --
    [[nodiscard]] bool has_ready() const noexcept {
        return is_woken_ || (!ready_.empty() && patient_until_.ns <= simulation_.now_ns());
    }
    [[nodiscard]] Instant wake_at() const noexcept {
        return ready_.empty() ? wake_at_ : std::min(wake_at_, patient_until_);
    }
    [[nodiscard]] std::size_t open_sockets() const noexcept;
    // Breaks every connection, as a peer's crash would.
    void reset_streams();

    Outcome<SocketId> open_udp(const SocketOptions& options) noexcept override;
    Outcome<SocketId> open_tcp(const SocketOptions& options) noexcept override;
    Outcome<SocketId> open_listener(const SocketOptions& options) noexcept override;
    void close(SocketId socket) noexcept override;
    Endpoint peer(SocketId socket) const noexcept override;
    const StampAbility& stamp_ability() const noexcept override;
    std::uint32_t receive_drops(SocketId socket) const noexcept override;
    Outcome<SocketError> take_error(SocketId socket) noexcept override;
    void prepare_receive_datagrams(Operation& operation, SocketId socket) noexcept override;
    void prepare_tx_stamps(Operation& operation, SocketId socket) noexcept override;
    void prepare_send_datagram(Operation& operation, SocketId socket,
                               const Message& message) noexcept override;
    void prepare_accept(Operation& operation, SocketId listener) noexcept override;
    void prepare_connect(Operation& operation, SocketId socket,
                         const Endpoint& remote) noexcept override;
    void prepare_send_stream(Operation& operation, SocketId socket,
                             const Message& message) noexcept override;
    void prepare_receive_stream(Operation& operation, SocketId socket,
                                StreamInput& input) noexcept override;
    std::optional<WallTime> arrival_of(const StreamInput& input) const noexcept override;
    void prepare_cancel(Operation& operation) noexcept override;
    Datagram datagram(const Completion& completion) noexcept override;
    void release_buffer(std::uint16_t buffer_index) noexcept override;
    void submit() noexcept override { ++counters_.submissions; }
    void wait(Instant until, Duration patience) noexcept override;
    void poll() noexcept override;
    std::uint32_t drain(std::span<Ready> ready) noexcept override;
    void wake() noexcept override { is_woken_ = true; }
    const RingCounters& counters() const noexcept override { return counters_; }

private:
    // A datagram that has arrived.
    struct Received {
        Packet packet;
        SocketId socket = no_socket;
        std::uint32_t generation = 0;
        StampSource arrived_by = StampSource::none;
        WallTime arrived{};
        std::uint32_t drops = 0;  // Of the socket, before it.
    };

    // Octets of a stream that have arrived at once.
    struct Segment {
        std::size_t octets = 0;
        WallTime arrived{};
    };

    struct Socket {
        bool is_open = false;
        std::uint32_t generation = 0;  // Events for an earlier use of the place are void.
        bool is_stream = false;
        bool is_listener = false;
        Endpoint local{};
        Endpoint remote{};
        bool is_connected = false;
        bool wants_stamps = false;
        bool stamps_tx = false;
        std::deque<Received> arrived{};  // Datagrams not yet in a receive buffer.
        std::uint32_t unread = 0;        // Datagrams that have not been drained.
        std::uint32_t drops = 0;
        std::deque<SocketError> errors{};
        int pending_error = 0;  // Given to the next call, as the kernel does.
        Octets stream{};        // Octets not yet read, in
        std::deque<Segment> segments{};
        std::uint32_t stamped_octets = 0;  // Sent, since stamps are taken.
        bool is_peer_gone = false;
        std::deque<SocketId> accepted{};
        Directory::Place other{};  // The other end of a stream.
        std::uint32_t other_generation = 0;
        std::int64_t stream_clear_at_ns = 0;  // Segments arrive in order.
        Operation* receive = nullptr;
        StreamInput* receive_into = nullptr;
        Operation* stamps = nullptr;
        Operation* accept = nullptr;
        Operation* connect = nullptr;
        Operation* send = nullptr;  // Held: see holds_streams.
    };

    [[nodiscard]] SocketId allocate(bool is_stream, const SocketOptions& options);
    [[nodiscard]] Socket& at(SocketId socket);
    [[nodiscard]] const Socket& at(SocketId socket) const;
    void complete(Operation* operation, const Completion& completion);
    void deliver(Packet packet, SocketId socket, std::uint32_t generation);
    void receive(Received received);
    void refuse(const Packet& packet, SocketId socket, std::uint32_t generation);
    void plan_stamp(SocketId socket, Duration delay, std::uint32_t key, StampPoint point);
    void give_stamp(Socket& socket, const TxStamp& stamp);
    void tell_error_queue(Socket& socket);
    void pump(SocketId socket);
    void pump_datagrams(Socket& socket);
    void pump_stream(Socket& socket);
    void arrive_syn(Directory::Place listener, SimRing* from, SocketId socket,
                    std::uint32_t generation, Endpoint client);
    void finish_connect(SocketId socket, std::uint32_t generation, int result,
                        Directory::Place other, std::uint32_t other_generation);
    // Returns how long it takes to arrive.
    Duration send_segment(Socket& socket, Octets octets, bool is_end);
    static void put_arrival(const Socket& socket, std::size_t octets, StreamInput& input);
    [[nodiscard]] Duration stream_delay(const Socket& socket, const Octets& octets);

    Simulation& simulation_;
    Directory& directory_;
    Endpoint address_;
    const SimClock& clock_;
    std::uint16_t next_port_ = 40'000;
    std::deque<Socket> sockets_;
    std::deque<Ready> ready_;
    std::map<std::uint16_t, Received> buffers_;
    std::uint16_t next_buffer_ = 0;
    Instant wake_at_{};
    Instant patient_until_{};
    bool is_woken_ = false;
    mutable StampAbility ability_{};
    RingCounters counters_;
};

}  // namespace latmon::sim
