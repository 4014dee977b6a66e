// SPDX-License-Identifier: Apache-2.0
//
// Probes one target over one kept TCP connection: the same packets as over UDP, in frames; or the
// ancestor's messages one after another, where the next slot is missed until the one before was
// answered or given up: its servers take what they receive at one go for one message.
// Reconnecting is a state with a growing pause, never a wait. Slots that come while there is no
// connection are reported as what keeps it from being there: refused once the far end or the
// network has refused it, or has not answered for a timeout, until there is one again; else as an
// error of this host's. Used on one core-thread; allocates nothing after construction.
//
//   waiting -> connecting -> greeting -> open       A connection of the ancestor's is open without
//      ^           |            |         |         a greeting.
//      +--------- closing <-----+---------+
#pragma once

#include "probe/exchanges.hpp"
#include "probe/frame_reader.hpp"
#include "probe/packet_template.hpp"
#include "probe/slots.hpp"
#include "wire/ancestor_stream.hpp"

#include <vector>

namespace latmon {

class TcpProbe final : public Probe, private Slots::User {
public:
    TcpProbe(CoreContext& context, const ProbePlan& plan, ProbeCounters& counters,
             std::span<Flight> slots);

    void open_path() noexcept override;
    void start(Instant origin) noexcept override;
    void set_address(const Endpoint& address) noexcept override;
    void stop_sending() noexcept override;
    bool is_idle() const noexcept override { return exchanges_.in_flight() == 0; }
    void close() noexcept override;
    bool is_closed() const noexcept override { return is_ended_ && socket_ == no_socket; }

private:
    enum class State : std::uint8_t {
        waiting,     // No connection; the timer says when to try again, if there is an address.
        connecting,  // A handshake is under way; the timer bounds it.
        greeting,    // Prefaces are under way; the timer bounds it.
        open,        // Probes flow.
        closing      // Operations are being ended; the socket closes when the last one has.
    };

    void on_slot(Instant due, Instant now) noexcept override;
    void on_timer(Instant now) noexcept;
    void on_connect(const Completion& completion) noexcept;
    void on_send(const Completion& completion) noexcept;
    void on_receive(const Completion& completion) noexcept;
    void on_tx_stamp(const Completion& completion) noexcept;
    void take_tx_stamp(const TxStamp& stamp) noexcept;
    void take_reply(bool is_last) noexcept;
    void take_ancestor_reply(bool is_last) noexcept;
    [[nodiscard]] ReplyPath path_of(std::uint32_t packet_bytes, bool is_last) const noexcept;

    void connect() noexcept;
    void greet() noexcept;
    void begin_ancestor() noexcept;
    void begin_open() noexcept;
    void send_probe(Instant due) noexcept;
    void send_ancestor_probe(Instant due) noexcept;
    void submit(Instant due, const Message& message) noexcept;
    [[nodiscard]] bool read(std::size_t received_bytes) noexcept;
    [[nodiscard]] bool read_frames(std::span<const std::byte> data, bool has_room) noexcept;
    [[nodiscard]] bool read_messages(std::span<std::byte> data, bool has_room) noexcept;
    [[nodiscard]] bool is_unheard() const noexcept;
    void change_dialect() noexcept;
    void end_connection(int error_number) noexcept;
    void receive_more() noexcept;
    void fail(int error_number) noexcept;
    void finish_closing() noexcept;
    void wait_before_connecting() noexcept;

    CoreContext& context_;
    const ProbePlan& plan_;
    ProbeCounters& counters_;
    Exchanges exchanges_;
    Slots slots_;
    PacketTemplate packet_;
    const std::unique_ptr<AncestorTemplate> ancestor_;  // Null: it is not spoken.
    FrameReader reader_;
    AncestorStream stream_;
    std::size_t kept_bytes_ = 0;  // At the front of receive_buffer_: of a head that is incomplete.
    Endpoint address_;
    SocketId socket_ = no_socket;
    State state_ = State::waiting;
    Dialect dialect_ = Dialect::stamp;  // Of this connection.
    bool is_changing_dialect_ = false;  // It ends for that alone, and the next begins at once.
    int last_error_;                    // Why there is no connection.
    bool is_shut_ = false;              // By the network or the far end, when it was last tried.
    Duration pause_;                    // Before the next try.
    std::uint32_t reopen_after_;        // As in UdpProbe.
    bool is_probe_in_send_ = false;     // The send under way is a probe's, not the preface's.
    Instant sending_since_{};           // The slot whose probe is in the send under way.
    bool is_stopping_ = false;
    bool is_ended_ = false;             // No connection is begun any more.
    std::uint32_t first_sequence_ = 0;  // Of this connection.
    Message preface_message_;
    std::array<std::byte, preface_bytes> preface_{};
    std::vector<std::byte> receive_buffer_;
    StreamInput input_;
    MethodTimer<&TcpProbe::on_timer> timer_{*this, false};
    MethodOperation<&TcpProbe::on_connect> connect_{*this};
    MethodOperation<&TcpProbe::on_send> send_{*this};
    MethodOperation<&TcpProbe::on_receive> receive_{*this};
    MethodOperation<&TcpProbe::on_tx_stamp> tx_stamps_{*this};
};

}  // namespace latmon
