// SPDX-License-Identifier: Apache-2.0
//
// The UDP reflector; see udp_reflector.hpp.
#include "probe/udp_reflector.hpp"

#include "base/assert.hpp"
#include "wire/auth.hpp"

#include <algorithm>
#include <cerrno>

namespace latmon {
namespace {

// Replies whose transmit stamp is waited for: more than are ever under way.
constexpr std::uint32_t ticket_count = 2 * limits::receive_buffers;

// Entries taken off an error queue at one go.
constexpr std::uint32_t stamps_per_turn = 4'096;

// Added to a session's listener if it is the ancestor's: the same sender may have a session in
// STAMP, with numbers of its own.
constexpr std::uint16_t ancestor_listener = 0x8000;

// What both formats' replies and samples have from the datagram.
Reflection reflection_of(const Datagram& datagram) noexcept {
    return {.protocol = LATMON_PROTOCOL_UDP,
            .source = datagram.source,
            .destination = datagram.local,
            .ttl = datagram.ttl,
            .traffic_class = datagram.traffic_class,
            .has_traffic_class = datagram.has_traffic_class,
            .has_kernel_time = datagram.arrived_by != StampSource::none,
            .kernel_time = datagram.arrived,
            .previous = std::nullopt};
}

}  // namespace

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
                           std::uint32_t series_id, PeerQueue* peers)
    : context_(context),
      rules_(rules),
      sessions_(key),
      peers_(context.counters, rules, peers, context.peer_series),
      ancestor_(context, rules),
      departures_(limits::sessions_per_core),
      replay_windows_(rules.keys.is_empty() ? 0 : limits::sessions_per_core),
      tickets_(ticket_count),
      series_id_(series_id),
      replies_(limits::receive_buffers) {
    for (std::size_t index = 0; index < replies_.size(); ++index) {
        replies_[index].owner = this;
        replies_[index].buffer_index = static_cast<std::uint16_t>(index);
    }
}

void UdpReflector::listen(SocketId socket, std::uint16_t listener_index) {
    if (listeners_.empty()) {
        sessions_.take_memory();
        peers_.take_memory();
        departures_.take_memory();
        rules_.rate_limiter.take_memory();
    }
    listeners_.push_back(std::make_unique<Listener>(*this));
    Listener& listener = *listeners_.back();
    listener.socket = socket;
    listener.index = listener_index;
    Ring& ring = context_.reactor.ring();
    ring.prepare_receive_datagrams(listener, socket);
    // Without keys nobody could say which of several replies under way a stamp belongs to.
    const StampAbility& ability = ring.stamp_ability();
    if (context_.uses_kernel_stamps && ability.has_keys && ability.tx != TxStampWay::none) {
        ring.prepare_tx_stamps(listener.tx_stamps, socket);
    }
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
        Ring& ring = context_.reactor.ring();
        if (listener->is_active) ring.prepare_cancel(*listener);
        if (listener->tx_stamps.is_active) ring.prepare_cancel(listener->tx_stamps);
    }
    context_.reactor.ring().submit();
}

bool UdpReflector::is_idle() const noexcept {
    return replies_under_way_ == 0 &&
           std::none_of(listeners_.begin(), listeners_.end(), [](const auto& listener) {
               return listener->is_active || listener->tx_stamps.is_active;
           });
}

ReflectReason UdpReflector::reflect(Listener& listener, const Completion& completion) noexcept {
    if (is_discarding_) return ReflectReason::not_started;
    context_.reactor.ask_for_haste();
    Ring& ring = context_.reactor.ring();
    const Datagram datagram = ring.datagram(completion);
    note_drops(listener, datagram);
    const LoopStamp& arrival = context_.reactor.arrival();
    const HmacKey* const key = rules_.keys.find(datagram.source.address);
    const ReflectReason verdict = admit(rules_, {.data = datagram.payload,
                                                 .source = datagram.source,
                                                 .key = key,
                                                 .is_truncated = datagram.is_truncated,
                                                 .now = arrival.now,
                                                 .wall_now = arrival.wall});
    if (verdict != ReflectReason::reflected) return verdict;
    Reply& reply = replies_[completion.buffer_index];
    if (key == nullptr) {
        const std::optional<AncestorPacket> request = decode_ancestor(datagram.payload);
        if (request) return reflect_ancestor(listener, datagram, *request, reply);
    }
    return reflect_stamp(listener, datagram, key, reply);
}

ReflectReason UdpReflector::reflect_stamp(const Listener& listener, const Datagram& datagram,
                                          const HmacKey* key, Reply& reply) noexcept {
    const std::optional<SenderPacket> request = decode_sender(datagram.payload, key);
    LATMON_ASSERT(request.has_value());
    Session* session = nullptr;
    const ReflectReason refusal =
        find_session({.peer = datagram.source, .ssid = request->ssid, .listener = listener.index},
                     request->sequence, key, session);
    if (refusal != ReflectReason::reflected) return refusal;
    const std::uint32_t index = sessions_.index_of(*session);

    // A TWAMP-Light request of 14..43 octets is answered with 44 (RFC 8762 section 4.6); the buffer
    // behind it is ours to use.
    const std::size_t reply_bytes = std::max(datagram.payload.size(), base_bytes_of(key));
    const std::span<std::byte> packet(datagram.payload.data(), reply_bytes);
    std::ranges::fill(packet.subspan(datagram.payload.size()), std::byte{0});
    Reflection reflection = reflection_of(datagram);
    reflection.series_id = peers_.series_of(index).value_or(series_id_);
    reflection.sequence = session->sequence++;
    reflection.key = key;
    reflection.descriptor = &peers_.scratch();
    if (departures_[index].is_known) reflection.previous = departures_[index].follow_up;
    const ReplyDraft draft = draft_reply(context_, rules_.policy, reflection, packet);
    take_descriptor(*session, draft.descriptor);
    reply.message.set_payload(packet);
    // The class comes back as it came, without its ECN bits: they are the network's to set.
    reply.message.set_route(datagram.source, datagram.local, draft.traffic_class);
    if (listener.tx_stamps.is_active) reply.message.set_key(open_ticket(index, draft));
    static_cast<void>(seal_reply(context_, reflection, draft, packet));
    reply.outcome = ReflectReason::reflected;
    send(listener, reply);
    return ReflectReason::reflected;
}

ReflectReason UdpReflector::reflect_ancestor(const Listener& listener, const Datagram& datagram,
                                             const AncestorPacket& request, Reply& reply) noexcept {
    const auto place = static_cast<std::uint16_t>(listener.index | ancestor_listener);
    Session* session = nullptr;
    const ReflectReason refusal = find_session({.peer = datagram.source, .listener = place},
                                               request.sequence, nullptr, session);
    if (refusal != ReflectReason::reflected) return refusal;
    Reflection reflection = reflection_of(datagram);
    reflection.series_id = series_id_;
    reflection.sequence = session->sequence++;
    if (!ancestor_.answer(reflection, request, datagram.payload)) return ReflectReason::too_short;
    reply.message.set_payload(datagram.payload);
    reply.message.set_route(datagram.source, datagram.local,
                            static_cast<std::uint8_t>(datagram.traffic_class & 0xfcU));
    // Nobody asks when it left, but a stamp without a key could be taken for another reply's.
    if (listener.tx_stamps.is_active) {
        reply.message.set_key(open_ticket(sessions_.index_of(*session), {}));
    }
    reply.outcome = ReflectReason::reflected_ancestor;
    send(listener, reply);
    return ReflectReason::reflected;
}

// At once: the time in the packet grows old.
void UdpReflector::send(const Listener& listener, Reply& reply) noexcept {
    Ring& ring = context_.reactor.ring();
    ring.prepare_send_datagram(reply, listener.socket, reply.message);
    ++replies_under_way_;
    ring.submit();
}

void UdpReflector::take_descriptor(const Session& session, DescriptorSeen seen) noexcept {
    if (seen == DescriptorSeen::none) return;
    if (seen == DescriptorSeen::invalid) {
        peers_.note_invalid();
    } else {
        peers_.take(sessions_.index_of(session), session.key(), context_.reactor.arrival().now);
    }
}

// The sender's session, made if there is none: what is kept of it elsewhere is then forgotten.
ReflectReason UdpReflector::find_session(const SessionKey& session_key, std::uint32_t sequence,
                                         const HmacKey* key, Session*& session) noexcept {
    const AddressBytes& source = session_key.peer.address;
    const bool is_exempt = rules_.allow_list.is_provisioned(source);
    const std::uint32_t per_source_max =
        is_exempt ? limits::sessions_per_core : rules_.policy.sessions_per_source;
    const Instant now = context_.reactor.arrival().now;
    session = sessions_.find_or_create(session_key, now, per_source_max);
    if (session == nullptr) {
        return sessions_.is_source_full(source, per_source_max)
                   ? ReflectReason::source_sessions_full
                   : ReflectReason::session_table_full;
    }
    const std::uint32_t index = sessions_.index_of(*session);
    if (session->sequence == 0) {
        departures_[index] = {};
        peers_.forget(index);
        if (!replay_windows_.empty()) replay_windows_[index] = {};
    }
    session->last_sender_sequence = sequence;
    if (key == nullptr || replay_windows_[index].admit(sequence, now)) {
        return ReflectReason::reflected;
    }
    return ReflectReason::replayed;
}

void UdpReflector::note_drops(Listener& listener, const Datagram& datagram) noexcept {
    if (!datagram.has_drops || datagram.drops == listener.drops) return;
    context_.counters.socket_drops.add(datagram.drops - listener.drops);
    context_.reactor.note_overflow();
    listener.drops = datagram.drops;
}

// -- When replies really left -------------------------------------------------------------------

std::uint32_t UdpReflector::open_ticket(std::uint32_t session, const ReplyDraft& draft) noexcept {
    const std::uint32_t number = next_ticket_++;
    tickets_[number % ticket_count] = {.number = number,
                                       .session = session,
                                       .sequence = draft.sequence,
                                       .is_open = true,
                                       .is_ptp = draft.is_ptp};
    return number;
}

void UdpReflector::Listener::on_tx_stamp(const Completion& completion) noexcept {
    Ring& ring = owner->context_.reactor.ring();
    if (completion.stamp.source != StampSource::none) {
        owner->take_tx_stamp(completion.stamp);
    } else if (completion.result >= 0 && !owner->is_stopping_) {
        for (std::uint32_t taken = 0; taken < stamps_per_turn; ++taken) {
            const Outcome<SocketError> entry = ring.take_error(socket);
            if (!entry) break;
            if (entry->stamp.source != StampSource::none) owner->take_tx_stamp(entry->stamp);
        }
    }
    if (completion.has_more || owner->is_stopping_ || completion.result == -EOPNOTSUPP) return;
    ring.prepare_tx_stamps(tx_stamps, socket);
}

void UdpReflector::take_tx_stamp(const TxStamp& stamp) noexcept {
    // A card's stamp is by a clock of its own, which T2 is not.
    if (stamp.point != StampPoint::sent || stamp.source != StampSource::kernel) return;
    Ticket& ticket = tickets_[stamp.key % ticket_count];
    if (!ticket.is_open || ticket.number != stamp.key) return;
    ticket.is_open = false;
    const WallTime left = context_.reactor.clock().wall_of_kernel(stamp.time);
    departures_[ticket.session] = {
        .follow_up = {.sequence = ticket.sequence,
                      .timestamp = context_.own_clock.encode_time(left, ticket.is_ptp),
                      .method = stamp_method::software},
        .is_known = true};
}

void UdpReflector::on_sent(const Reply& reply, const Completion& completion) noexcept {
    --replies_under_way_;
    counters_.count(completion.result >= 0 ? reply.outcome : ReflectReason::reply_failed);
    context_.reactor.ring().release_buffer(reply.buffer_index);
}

}  // namespace latmon
