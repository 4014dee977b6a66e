// SPDX-License-Identifier: Apache-2.0
//
// The TCP reflector; see tcp_reflector.hpp.
#include "probe/tcp_reflector.hpp"

#include "base/assert.hpp"
#include "probe/reflection.hpp"
#include "wire/auth.hpp"

#include <algorithm>
#include <cerrno>

namespace latmon {
namespace {

// Before accepting again when the kernel would not.
constexpr Duration accept_pause = Duration::from_ms(100);

}  // namespace

TcpReflector::Session::Session(TcpReflector& reflector) noexcept : owner(reflector) {}

TcpReflector::Accept::Accept(TcpReflector& reflector) noexcept
    : Operation([](Operation& operation, const Completion& completion) noexcept {
          Accept& accept = static_cast<Accept&>(operation);
          accept.owner->on_accept(accept, completion);
      }),
      owner(&reflector) {}

TcpReflector::TcpReflector(CoreContext& context, const AdmissionRules& rules,
                           std::uint32_t series_id)
    : context_(context), rules_(rules), series_id_(series_id), ancestor_(context, rules) {}

// -- Accepting ----------------------------------------------------------------------------------

void TcpReflector::make_sessions() {
    sessions_.reserve(limits::tcp_sessions_per_core);
    for (std::size_t index = 0; index < limits::tcp_sessions_per_core; ++index) {
        sessions_.push_back(std::make_unique<Session>(*this));
        sessions_.back()->buffer = {memory_.data() + index * limits::tcp_buffer_bytes,
                                    limits::tcp_buffer_bytes};
    }
}

void TcpReflector::listen(SocketId listener) {
    if (sessions_.empty()) make_sessions();
    accepts_.push_back(std::make_unique<Accept>(*this));
    accepts_.back()->listener = listener;
    context_.reactor.ring().prepare_accept(*accepts_.back(), listener);
}

void TcpReflector::on_accept(Accept& accept, const Completion& completion) noexcept {
    Ring& ring = context_.reactor.ring();
    if (completion.result < 0) {
        // Out of descriptors, most likely, and so it would be again at once.
        counters_.refused_no_socket.add(1);
        if (completion.has_more) return;
        context_.reactor.timers().arm(accept.retry, context_.reactor.clock().now() + accept_pause);
        return;
    }
    if (!completion.has_more) ring.prepare_accept(accept, accept.listener);
    const SocketId socket = completion.result;
    const Endpoint peer = ring.peer(socket);
    if (peer == Endpoint{} || !rules_.allow_list.is_allowed(peer.address)) {
        (peer == Endpoint{} ? counters_.refused_gone : counters_.refused_not_allowed).add(1);
        ring.close(socket);
        return;
    }
    const auto place = std::find_if(sessions_.begin(), sessions_.end(), [](const auto& session) {
        return session->state == State::free;
    });
    if (place == sessions_.end() || !has_room_for(peer.address)) {
        counters_.refused_full.add(1);
        ring.close(socket);
        return;
    }
    open_session(**place, socket, peer);
}

void TcpReflector::Accept::on_retry(Instant) noexcept {
    owner->context_.reactor.ring().prepare_accept(*this, listener);
    owner->context_.reactor.ring().submit();
}

bool TcpReflector::has_room_for(const AddressBytes& address) const noexcept {
    if (rules_.allow_list.is_provisioned(address)) return true;
    const auto count = std::count_if(sessions_.begin(), sessions_.end(), [&](const auto& session) {
        return session->state != State::free && session->peer.address == address;
    });
    return count < limits::tcp_sessions_per_address;
}

void TcpReflector::open_session(Session& session, SocketId socket, const Endpoint& peer) noexcept {
    counters_.accepted.add(1);
    const Instant now = context_.reactor.clock().now();
    session.socket = socket;
    session.state = State::greeting;
    session.peer = peer;
    session.filled = 0;
    session.sending = 0;
    session.is_ancestor = false;
    session.messages.reset();
    session.next_sequence = 0;
    session.ssid = 0;
    session.key = rules_.keys.find(peer.address);
    session.last_heard = now;
    context_.reactor.timers().arm(session.deadline, now + Duration{limits::tcp_preface_ns});
    read_on(session);
}

// -- Reading ------------------------------------------------------------------------------------

void TcpReflector::read_on(Session& session) noexcept {
    // One octet stays free: an AncestorStream may leave one more than was not answered.
    LATMON_ASSERT(session.filled + 1 < session.buffer.size());
    session.input.set_buffer(
        session.buffer.first(session.buffer.size() - 1).subspan(session.filled));
    context_.reactor.ring().prepare_receive_stream(session.receive, session.socket, session.input);
    context_.reactor.ring().submit();
}

void TcpReflector::Session::on_receive(const Completion& completion) noexcept {
    if (state == State::closing) {
        owner.finish_closing(*this);
    } else if (completion.result <= 0) {
        owner.close_session(*this, owner.counters_.closed_by_peer);
    } else {
        fresh_from = filled;
        filled += static_cast<std::size_t>(completion.result);
        last_heard = owner.context_.reactor.arrival().now;
        owner.context_.reactor.ask_for_haste();
        owner.take(*this);
    }
}

// Makes what can be made of the octets that are there, then sends or reads on.
void TcpReflector::take(Session& session) noexcept {
    if (session.state == State::greeting && !take_preface(session)) return;
    PublishedCounter* const reason =
        session.is_ancestor ? take_messages(session) : take_frames(session);
    if (reason != nullptr) {
        close_session(session, *reason);
        return;
    }
    if (session.sending == 0) {
        read_on(session);
        return;
    }
    session.message.set_payload(session.buffer.first(session.sending));
    context_.reactor.ring().prepare_send_stream(session.send, session.socket, session.message);
    context_.reactor.ring().submit();
}

// False if there is nothing more to do now: more must be read, the preface is on its way out, or
// the session is closing.
bool TcpReflector::take_preface(Session& session) noexcept {
    switch (stream_kind(session.buffer.front())) {
        case StreamKind::latmon:
            break;
        case StreamKind::ancestor: {
            PublishedCounter* const refusal = greet_ancestor(session);
            if (refusal != nullptr) close_session(session, *refusal);
            session.is_ancestor = refusal == nullptr;
            return session.is_ancestor;
        }
        case StreamKind::tls:
            close_session(session, counters_.closed_tls);
            return false;
        case StreamKind::garbage:
            close_session(session, counters_.closed_garbage);
            return false;
    }
    if (session.filled < preface_bytes) {
        read_on(session);
        return false;
    }
    const std::optional<Preface> preface = decode_preface(session.buffer.first<preface_bytes>());
    if (!preface) {
        close_session(session, counters_.closed_garbage);
        return false;
    }
    session.ssid = preface->ssid;
    open(session);
    encode_preface({.ssid = preface->ssid, .boot_nonce = context_.boot_nonce}, session.preface);
    session.message.set_payload(session.preface);
    session.sending = preface_bytes;  // Ours takes the place of theirs when it is cut off.
    context_.reactor.ring().prepare_send_stream(session.send, session.socket, session.message);
    context_.reactor.ring().submit();
    return false;
}

void TcpReflector::open(Session& session) noexcept {
    session.state = State::open;
    context_.reactor.timers().arm(session.deadline,
                                  session.last_heard + Duration{limits::tcp_idle_ns});
}

// Turns every whole frame at the front of the buffer into its reply, in place. Returns why the
// session must end, or null.
PublishedCounter* TcpReflector::take_frames(Session& session) noexcept {
    std::size_t at = 0;
    while (session.filled - at >= frame_header_bytes) {
        const std::optional<FrameHeader> header =
            decode_frame_header(session.buffer.subspan(at).first<frame_header_bytes>());
        if (!header) return &counters_.closed_broken;
        if (header->type == FrameType::bye) return &counters_.closed_by_peer;
        // Reflecting a reflection would make two reflectors talk for ever (invariant 7).
        if (header->type != FrameType::probe) return &counters_.closed_broken;
        const std::size_t frame_bytes = frame_header_bytes + std::size_t{header->pdu_bytes};
        if (session.filled - at < frame_bytes) break;
        const std::span<std::byte> frame = session.buffer.subspan(at, frame_bytes);
        PublishedCounter* const refusal = judge(session, frame.subspan(frame_header_bytes));
        if (refusal != nullptr) return refusal;
        reflect(session, frame);
        at += frame_bytes;
    }
    session.sending = at;
    return nullptr;
}

// Null if the packet is to be answered.
PublishedCounter* TcpReflector::judge(const Session& session,
                                      std::span<const std::byte> packet) noexcept {
    if (session.key == nullptr || verify_auth(packet, *session.key)) return nullptr;
    return &counters_.closed_unauthenticated;
}

void TcpReflector::reflect(Session& session, std::span<std::byte> frame) noexcept {
    encode_frame_header({.pdu_bytes = static_cast<std::uint16_t>(frame.size() - frame_header_bytes),
                         .type = FrameType::reflected},
                        frame.first<frame_header_bytes>());
    const bool is_alone = session.fresh_from == 0 && frame.size() == session.filled;
    const Reflection reflection = reflection_of(session, is_alone);
    const std::span<std::byte> packet = frame.subspan(frame_header_bytes);
    const ReplyDraft draft = draft_reply(context_, rules_.policy, reflection, packet);
    static_cast<void>(seal_reply(context_, reflection, draft, packet));
    counters_.reflected.add(1);
}

// What the session and the kernel know of the request at hand, which is all that came with the
// latest receive if it `is_alone`: the kernel tells when the last octets of a receive came.
Reflection TcpReflector::reflection_of(Session& session, bool is_alone) noexcept {
    Reflection reflection;
    reflection.protocol = LATMON_PROTOCOL_TCP;
    reflection.series_id = series_id_;
    reflection.sequence = session.next_sequence++;
    reflection.source = session.peer;
    reflection.key = session.key;
    const std::optional<WallTime> arrived =
        is_alone ? context_.reactor.ring().arrival_of(session.input) : std::nullopt;
    if (arrived) {
        reflection.has_kernel_time = true;
        reflection.kernel_time = *arrived;
    }
    return reflection;
}

// -- Sending ------------------------------------------------------------------------------------

void TcpReflector::Session::on_send(const Completion& completion) noexcept {
    if (state == State::closing) {
        owner.finish_closing(*this);
        return;
    }
    if (completion.result < 0) {
        owner.close_session(*this, owner.counters_.closed_by_peer);
        return;
    }
    // What was answered goes, what follows it moves to the front.
    std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(sending),
              buffer.begin() + static_cast<std::ptrdiff_t>(filled), buffer.begin());
    filled -= sending;
    sending = 0;
    owner.take(*this);
}

// -- Closing ------------------------------------------------------------------------------------

void TcpReflector::Session::on_deadline(Instant now) noexcept {
    if (state == State::greeting) {
        owner.close_session(*this, owner.counters_.closed_no_preface);
        return;
    }
    // Armed once per silence, not once per frame: see how long it really was.
    const Instant idle_at = last_heard + Duration{limits::tcp_idle_ns};
    if (idle_at > now) {
        owner.context_.reactor.timers().arm(deadline, idle_at);
    } else {
        owner.close_session(*this, owner.counters_.closed_idle);
    }
}

void TcpReflector::close_session(Session& session, PublishedCounter& reason) noexcept {
    LATMON_ASSERT(session.state == State::greeting || session.state == State::open);
    reason.add(1);
    session.state = State::closing;
    context_.reactor.timers().disarm(session.deadline);
    Ring& ring = context_.reactor.ring();
    if (session.receive.is_active) ring.prepare_cancel(session.receive);
    if (session.send.is_active) ring.prepare_cancel(session.send);
    finish_closing(session);
}

void TcpReflector::finish_closing(Session& session) noexcept {
    if (session.receive.is_active || session.send.is_active) return;
    context_.reactor.ring().close(session.socket);
    session.socket = no_socket;
    session.state = State::free;
}

}  // namespace latmon
