// SPDX-License-Identifier: Apache-2.0
//
// The ancestor's side of the TCP reflector; see tcp_reflector.hpp and wire/ancestor_stream.hpp.
// A message is answered as soon as its head is there, with as many octets as have come of it: the
// Python tool reads whatever comes first as its reply, and sends no more before it has one. Padding
// that comes later is passed over.
#include "probe/tcp_reflector.hpp"

#include <algorithm>

namespace latmon {

// Why such a connection must end at once, or null.
PublishedCounter* TcpReflector::greet_ancestor(const Session& session) noexcept {
    if (session.key != nullptr) return &counters_.closed_unauthenticated;
    return rules_.policy.answers_ancestor ? nullptr : &counters_.closed_ancestor;
}

// Turns every message in the buffer into its reply, one behind the other at the front, and moves
// what is left behind them. Returns why the session must end, or null.
PublishedCounter* TcpReflector::take_messages(Session& session) noexcept {
    AncestorStream& messages = session.messages;
    messages.look(session.buffer.first(session.filled));
    std::size_t replies_bytes = 0;
    AncestorStream::Outcome outcome = messages.next();
    for (; outcome == AncestorStream::Outcome::message; outcome = messages.next()) {
        if (session.state == State::greeting) open(session);
        if (answer_message(session, replies_bytes)) replies_bytes += messages.message_bytes();
    }
    if (outcome == AncestorStream::Outcome::broken) {
        const bool is_known = session.state == State::open;
        return is_known ? &counters_.closed_broken : &counters_.closed_garbage;
    }
    const std::span<const std::byte> rest = messages.remainder();
    std::copy(rest.begin(), rest.end(),
              session.buffer.begin() + static_cast<std::ptrdiff_t>(replies_bytes));
    session.sending = replies_bytes;
    session.filled = replies_bytes + rest.size();
    return nullptr;
}

// The latest message's reply, where all before it have left off. False if it gets none: there is no
// room for one in as many octets.
bool TcpReflector::answer_message(Session& session, std::size_t reply_at) noexcept {
    const AncestorStream& messages = session.messages;
    const bool is_alone =
        messages.message_at() >= session.fresh_from && reply_at == 0 && messages.is_last();
    const Reflection reflection = reflection_of(session, is_alone);
    const std::span<std::byte> reply = session.buffer.subspan(reply_at, messages.message_bytes());
    if (!ancestor_.answer(reflection, messages.packet(), reply)) return false;
    counters_.reflected_ancestor.add(1);
    return true;
}

}  // namespace latmon
