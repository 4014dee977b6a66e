// SPDX-License-Identifier: Apache-2.0
//
// Answers probes over UDP, statefully (RFC 8762 section 4.3): each datagram that is admitted
// becomes its own reply, in the receive buffer in which it came, and goes back to where it came
// from, out of the address it was sent to and in the traffic class it came with. Serves every UDP
// listener of one core. Used on one core-thread; allocates nothing after construction.
#pragma once

#include "probe/admission.hpp"
#include "probe/probe.hpp"
#include "probe/reflector_counters.hpp"
#include "probe/session_table.hpp"

#include <memory>
#include <span>
#include <vector>

namespace latmon {

class UdpReflector {
public:
    // `rules` must outlive it; `series_id` is that of the samples it emits.
    UdpReflector(CoreContext& context, const AdmissionRules& rules, HashKey key,
                 std::uint32_t series_id);
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
        UdpReflector* owner;
        SocketId socket = no_socket;
        std::uint16_t index = 0;
    };

    // The reply that lies in the receive buffer of the same index, until it has been sent.
    struct Reply final : Operation {
        Reply() noexcept;
        UdpReflector* owner = nullptr;
        std::uint16_t buffer_index = 0;
        Message message;
    };

    void on_receive(Listener& listener, const Completion& completion) noexcept;
    void on_sent(const Reply& reply, const Completion& completion) noexcept;
    // ReflectReason::reflected if a reply is on its way, which then owns the buffer.
    [[nodiscard]] ReflectReason reflect(const Listener& listener,
                                        const Completion& completion) noexcept;

    CoreContext& context_;
    const AdmissionRules& rules_;
    SessionTable sessions_;
    ReflectorCounters counters_;
    std::uint32_t series_id_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::vector<Reply> replies_;  // One per receive buffer.
    std::uint32_t replies_under_way_ = 0;
    bool is_stopping_ = false;
    bool is_discarding_ = false;
};

}  // namespace latmon
