// SPDX-License-Identifier: Apache-2.0
//
// The UDP reflector; see udp_reflector.hpp.
#include "probe/udp_reflector.hpp"

#include "base/assert.hpp"
#include "probe/reflection.hpp"
#include "wire/stamp.hpp"

#include <algorithm>
#include <cerrno>

namespace latmon {

UdpReflector::Listener::Listener(UdpReflector& reflector) noexcept
    : Operation([](Operation& operation, const Completion& completion) noexcept {
          Listener& listener = static_cast<Listener&>(operation);
          listener.owner->on_receive(listener, completion);
      }),
      owner(&reflector) {}

UdpReflector::Reply::Reply() noexcept
    : Operation([](Operation& operation, const Completion& completion) noexcept {
          Reply& reply = static_cast<Reply&>(operation);
          reply.owner->on_sent(reply, completion);
      }) {}

UdpReflector::UdpReflector(CoreContext& context, const AdmissionRules& rules, HashKey key,
                           std::uint32_t series_id)
    : context_(context),
      rules_(rules),
      sessions_(key),
      series_id_(series_id),
      replies_(limits::receive_buffers) {
    for (std::size_t index = 0; index < replies_.size(); ++index) {
        replies_[index].owner = this;
        replies_[index].buffer_index = static_cast<std::uint16_t>(index);
    }
}

void UdpReflector::listen(SocketId socket, std::uint16_t listener_index) {
    listeners_.push_back(std::make_unique<Listener>(*this));
    Listener& listener = *listeners_.back();
    listener.socket = socket;
    listener.index = listener_index;
    context_.reactor.ring().prepare_receive_datagrams(listener, socket);
}

void UdpReflector::on_receive(Listener& listener, const Completion& completion) noexcept {
    Ring& ring = context_.reactor.ring();
    if (completion.result == -ENOBUFS) context_.reactor.note_overflow();
    if (completion.has_buffer) {
        const ReflectReason reason =
            completion.result < 0 ? ReflectReason::too_short : reflect(listener, completion);
        if (reason != ReflectReason::reflected) {
            counters_.count(reason);
            ring.release_buffer(completion.buffer_index);
        }
    }
    if (!completion.has_more && !is_stopping_) {
        ring.prepare_receive_datagrams(listener, listener.socket);
    }
}

void UdpReflector::stop() noexcept {
    is_stopping_ = true;
    for (const std::unique_ptr<Listener>& listener : listeners_) {
        if (listener->is_active) context_.reactor.ring().prepare_cancel(*listener);
    }
    context_.reactor.ring().submit();
}

bool UdpReflector::is_idle() const noexcept {
    return replies_under_way_ == 0 &&
           std::none_of(listeners_.begin(), listeners_.end(),
                        [](const auto& listener) { return listener->is_active; });
}

ReflectReason UdpReflector::reflect(const Listener& listener,
                                    const Completion& completion) noexcept {
    if (is_discarding_) return ReflectReason::not_started;
    Ring& ring = context_.reactor.ring();
    const Datagram datagram = ring.datagram(completion);
    const LoopStamp& arrival = context_.reactor.arrival();
    const ReflectReason verdict = admit(rules_, {.data = datagram.payload,
                                                 .source = datagram.source,
                                                 .is_truncated = datagram.is_truncated,
                                                 .now = arrival.now,
                                                 .wall_now = arrival.wall});
    if (verdict != ReflectReason::reflected) return verdict;
    const std::optional<SenderPacket> request = decode_sender(datagram.payload);
    LATMON_ASSERT(request.has_value());
    Session* const session = sessions_.find_or_create(
        {.peer = datagram.source, .ssid = request->ssid, .listener = listener.index}, arrival.now);
    if (session == nullptr) return ReflectReason::session_table_full;
    session->last_sender_sequence = request->sequence;

    // A TWAMP-Light request of 14..43 octets is answered with 44 (RFC 8762 section 4.6); the buffer
    // behind it is ours to use.
    const std::size_t reply_bytes =
        std::max<std::size_t>(datagram.payload.size(), limits::stamp_base_bytes);
    const std::span<std::byte> packet(datagram.payload.data(), reply_bytes);
    std::ranges::fill(packet.subspan(datagram.payload.size()), std::byte{0});
    const Reflection reflection{.protocol = LATMON_PROTOCOL_UDP,
                                .series_id = series_id_,
                                .sequence = session->sequence++,
                                .source = datagram.source,
                                .ttl = datagram.ttl,
                                .traffic_class = datagram.traffic_class,
                                .has_traffic_class = datagram.has_traffic_class};
    Reply& reply = replies_[completion.buffer_index];
    reply.message.set_payload(packet);
    // The class comes back as it came, without its ECN bits: they are the network's to set.
    reply.message.set_route(datagram.source, datagram.local, datagram.traffic_class & 0xfcU);
    reflect_packet(context_, reflection, packet);
    ring.prepare_send_datagram(reply, listener.socket, reply.message);
    ++replies_under_way_;
    ring.submit();  // At once: T3 is in the packet and growing old.
    return ReflectReason::reflected;
}

void UdpReflector::on_sent(const Reply& reply, const Completion& completion) noexcept {
    --replies_under_way_;
    counters_.count(completion.result >= 0 ? ReflectReason::reflected
                                           : ReflectReason::reply_failed);
    context_.reactor.ring().release_buffer(reply.buffer_index);
}

}  // namespace latmon
