// SPDX-License-Identifier: Apache-2.0
//
// Answers probes over UDP, statefully (RFC 8762 section 4.3): each datagram that is admitted
// becomes its own reply, in the receive buffer in which it came, and goes back to where it came
// from, out of the address it was sent to and in the traffic class it came with. The ancestor's are
// answered in its format. Serves every UDP listener of one core. Used on one core-thread; allocates
// nothing after construction.
#pragma once

#include "base/zeroed_array.hpp"
#include "probe/admission.hpp"
#include "probe/ancestor_reflection.hpp"
#include "probe/peer_descriptors.hpp"
#include "probe/probe.hpp"
#include "probe/reflection.hpp"
#include "probe/reflector_counters.hpp"
#include "probe/replay_window.hpp"
#include "probe/session_table.hpp"

#include <memory>
#include <span>
#include <vector>

namespace latmon {

class UdpReflector {
public:
    // `rules` must outlive it; `series_id` is that of the samples it emits. `peers`: see
    // PeerDescriptors.
    UdpReflector(CoreContext& context, const AdmissionRules& rules, HashKey key,
                 std::uint32_t series_id, PeerQueue* peers);
    UdpReflector(const UdpReflector&) = delete;
    UdpReflector& operator=(const UdpReflector&) = delete;

    // Starts receiving on a socket opened with is_reflector; `listener_index` tells its sessions
    // from those of the others. [core-thread, before the start barrier]
    void listen(SocketId socket, std::uint16_t listener_index);

    // While set, datagrams are counted as `not_started` and not answered. [core-thread]
    void set_discarding(bool is_discarding) noexcept { is_discarding_ = is_discarding; }

    // Receives no more; replies under way are waited for, so that each is counted. [core-thread]
    void stop() noexcept;
    [[nodiscard]] bool is_idle() const noexcept;

    [[nodiscard]] const ReflectorCounters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::uint32_t session_count() const noexcept { return sessions_.size(); }

private:
    struct Listener final : Operation {
        explicit Listener(UdpReflector& reflector) noexcept;
        void on_tx_stamp(const Completion& completion) noexcept;

        UdpReflector* owner;
        SocketId socket = no_socket;
        std::uint16_t index = 0;
        std::uint32_t drops = 0;  // Of its receive buffer, as far as counted.
        MethodOperation<&Listener::on_tx_stamp> tx_stamps{*this};
    };

    // A reply of which the transmit stamp is still to come.
    struct Ticket {
        std::uint32_t number = 0;
        std::uint32_t session = 0;  // Index in the table.
        std::uint32_t sequence = 0;
        bool is_open = false;
        bool is_ptp = false;
    };

    // When the latest reply of a session really left.
    struct Departure {
        FollowUp follow_up;
        bool is_known = false;
    };

    // The reply that lies in the receive buffer of the same index, until it has been sent.
    struct Reply final : Operation {
        Reply() noexcept;
        UdpReflector* owner = nullptr;
        std::uint16_t buffer_index = 0;
        ReflectReason outcome = ReflectReason::reflected;  // If it can be sent.
        RoutedMessage message;
    };

    void on_receive(Listener& listener, const Completion& completion) noexcept;
    void on_sent(const Reply& reply, const Completion& completion) noexcept;
    [[nodiscard]] ReflectReason find_session(const SessionKey& session_key, std::uint32_t sequence,
                                             const HmacKey* key, Session*& session) noexcept;
    void note_drops(Listener& listener, const Datagram& datagram) noexcept;
    void take_tx_stamp(const TxStamp& stamp) noexcept;
    void take_descriptor(const Session& session, DescriptorSeen seen) noexcept;
    [[nodiscard]] std::uint32_t open_ticket(std::uint32_t session,
                                            const ReplyDraft& draft) noexcept;
    // ReflectReason::reflected if a reply is on its way, which then owns the buffer.
    [[nodiscard]] ReflectReason reflect(Listener& listener, const Completion& completion) noexcept;
    [[nodiscard]] ReflectReason reflect_stamp(const Listener& listener, const Datagram& datagram,
                                              const HmacKey* key, Reply& reply) noexcept;
    [[nodiscard]] ReflectReason reflect_ancestor(const Listener& listener, const Datagram& datagram,
                                                 const AncestorPacket& request,
                                                 Reply& reply) noexcept;
    void send(const Listener& listener, Reply& reply) noexcept;

    CoreContext& context_;
    const AdmissionRules& rules_;
    SessionTable sessions_;
    PeerDescriptors peers_;
    AncestorReflection ancestor_;
    ZeroedArray<Departure> departures_;         // By session.
    std::vector<ReplayWindow> replay_windows_;  // By session; none without keys.
    std::vector<Ticket> tickets_;               // By number modulo its size.
    std::uint32_t next_ticket_ = 0;
    ReflectorCounters counters_;
    std::uint32_t series_id_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::vector<Reply> replies_;  // One per receive buffer.
    std::uint32_t replies_under_way_ = 0;
    bool is_stopping_ = false;
    bool is_discarding_ = false;
};

}  // namespace latmon
