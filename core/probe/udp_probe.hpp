// SPDX-License-Identifier: Apache-2.0
//
// Probes one target over UDP: a packet per slot, STAMP or the ancestor's, from a connected socket
// of its own, so that the kernel checks who answers and ICMP errors find their probe. Open loop:
// what is in flight never delays the next send, as long as there are numbers to tell them apart.
// Used on one core-thread; allocates nothing after construction.
#pragma once

#include "probe/descriptor_sender.hpp"
#include "probe/exchanges.hpp"
#include "probe/packet_template.hpp"
#include "probe/slots.hpp"

namespace latmon {

class UdpProbe final : public Probe, private Slots::User, private Exchanges::DropSource {
public:
    UdpProbe(CoreContext& context, const ProbePlan& plan, ProbeCounters& counters,
             std::span<Flight> slots);

    void open_path() noexcept override;
    void start(Instant origin) noexcept override;
    void set_address(const Endpoint& address) noexcept override;
    void stop_sending() noexcept override;
    bool is_idle() const noexcept override { return exchanges_.in_flight() == 0; }
    void close() noexcept override;
    bool is_closed() const noexcept override;

private:
    void on_slot(Instant due, Instant now) noexcept override;
    void on_receive(const Completion& completion) noexcept;
    void on_send(const Completion& completion) noexcept;
    void on_descriptor_sent(const Completion& completion) noexcept;
    void on_tx_stamp(const Completion& completion) noexcept;
    [[nodiscard]] std::optional<std::uint32_t> receive_drops() const noexcept override;
    void send(const SenderPacket& packet) noexcept;
    void send(const AncestorRequest& request) noexcept;
    void submit(const Message& message) noexcept;
    void take_refusal(const SocketError& error) noexcept;
    void send_descriptor_if_due() noexcept;
    void take_replies(const Completion& completion) noexcept;
    void finish_closing() noexcept;
    void open_socket() noexcept;
    void close_socket() noexcept;
    void cancel_operations() noexcept;
    void take_errors() noexcept;
    [[nodiscard]] bool is_path_worn() const noexcept;
    [[nodiscard]] bool speaks_ancestor() const noexcept { return ancestor_ != nullptr; }
    [[nodiscard]] bool is_authenticated() const noexcept { return plan_.key_index >= 0; }

    CoreContext& context_;
    const ProbePlan& plan_;
    ProbeCounters& counters_;
    Exchanges exchanges_;
    Slots slots_;
    PacketTemplate packet_;
    const std::unique_ptr<AncestorTemplate> ancestor_;  // Null: it is not spoken.
    DescriptorSender descriptor_;
    Endpoint address_;  // Zero: not known yet.
    SocketId socket_ = no_socket;
    int open_error_;  // Why there is no socket, if there is none.
    std::uint32_t
        reopen_after_;         // Consecutive failures at which the path is opened anew; 0: never.
    bool is_closing_ = false;  // Operations were cancelled; the socket closes when they have ended.
    bool is_stopping_ = false;
    bool is_ended_ = false;          // No socket is opened any more.
    std::uint32_t sent_count_ = 0;   // Over this socket.
    bool is_second_try_ = false;     // The send under way is the second for its slot,
    bool is_ancestor_sent_ = false;  // or of the ancestor's format.
    MethodOperation<&UdpProbe::on_receive> receive_{*this};
    MethodOperation<&UdpProbe::on_send> send_{*this};
    MethodOperation<&UdpProbe::on_descriptor_sent> descriptor_send_{*this};
    MethodOperation<&UdpProbe::on_tx_stamp> tx_stamps_{*this};
};

}  // namespace latmon
