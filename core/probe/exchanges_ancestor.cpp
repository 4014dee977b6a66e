// SPDX-License-Identifier: Apache-2.0
//
// Exchanges in the ancestor's format: its replies say which of a hundred and one numbers they
// answer and when the request came, and no more. See exchanges.hpp and ancestor_numbers.hpp.
#include "base/assert.hpp"
#include "probe/exchanges.hpp"

#include <algorithm>
#include <cstdlib>

namespace latmon {
namespace {

// As far as STAMP's time stamps reach from now. A clock that is further off is none; and what is
// reckoned from it here would not fit.
constexpr Duration clock_range = Duration::from_s(std::int64_t{1} << 31U);
// Two readings of one clock.
constexpr Duration reading_noise{1'000};

}  // namespace

// -- What is spoken -----------------------------------------------------------------------------

// From the next exchange on.
void Exchanges::begin_stretch() noexcept {
    stretch_dialect_ = dialect_.current();
    stretch_first_ = flights_.next();
    restart_ledger();
}

// The ancestor does not count; what an answer says of losses, it says of its own dialect alone.
void Exchanges::restart_ledger() noexcept {
    const bool counts = stretch_dialect_ == Dialect::stamp;
    ledger_.set_mode(counts ? plan_.reflector_mode : ReflectorMode::stateless);
    ledger_.restart(flights_.next());
}

void Exchanges::follow_dialect() noexcept {
    if (dialect_.current() != stretch_dialect_) begin_stretch();
}

void Exchanges::on_dialect_refused() noexcept {
    dialect_.on_refusal();
    follow_dialect();
}

// -- Sending ------------------------------------------------------------------------------------

AncestorRequest Exchanges::open_ancestor(Instant due) noexcept {
    Flight& flight = begin(due, true);
    flight.is_ancestor = true;
    flight.ancestor_number = numbers_.take(flight.sequence);
    if (dialect_.asks_for_latmon()) flight.hello = ancestor_hello_asked;
    return ancestor_request_of(flight);
}

AncestorRequest Exchanges::reopen_last_ancestor() noexcept {
    LATMON_ASSERT(opened_ != nullptr && opened_->is_ancestor);
    stamp_now(*opened_);
    return ancestor_request_of(*opened_);
}

AncestorRequest Exchanges::ancestor_request_of(Flight& flight) const noexcept {
    const std::int64_t t1_ns = std::max<std::int64_t>(flight.t1_user().ns, 0);
    flight.t1 = WireTime{static_cast<std::uint64_t>(t1_ns)};
    return {.sequence = flight.sequence,
            .number = flight.ancestor_number,
            .hello = flight.hello,
            .t1_ns = t1_ns};
}

bool Exchanges::is_number_in_flight() noexcept {
    const std::uint8_t number = numbers_.next();
    Flight* const flight = ancestor_flight(numbers_.sequence_of(number), number);
    if (flight == nullptr || flight->state != Flight::State::outstanding) return false;
    // STAMP probes of before may have longer, and the timer goes by the oldest.
    if (expiry_of(*flight) > context_.reactor.clock().now()) return true;
    expire(*flight);
    return false;
}

// The exchange, if it was opened over this path, in this format and with this number.
Flight* Exchanges::ancestor_flight(std::uint32_t sequence, std::uint32_t number) noexcept {
    Flight* const flight = flights_.find(sequence);
    if (flight == nullptr || !flight->is_ancestor) return nullptr;
    const bool is_of_path = static_cast<std::int32_t>(sequence - path_first_) >= 0;
    return is_of_path && flight->ancestor_number == number ? flight : nullptr;
}

// -- Replies ------------------------------------------------------------------------------------

void Exchanges::on_ancestor_reply(const AncestorPacket& reply, const ReplyPath& path) noexcept {
    note_arrival(path);
    Flight* const flight = flight_of(reply);
    if (flight == nullptr) {
        counters_.invalid.add(1);
        return;
    }
    const bool is_marked = reply.hello > flight->hello;
    is_marked ? dialect_.on_marked_answer() : dialect_.on_answer(Dialect::ancestor);
    follow_dialect();
    if (is_in_time(*flight, path)) {
        answer_ancestor(*flight, WallTime{reply.time_ns}, path);
    } else {
        tell_come_back(*flight, flight->sequence);
    }
}

// The exchange that a reply belongs to, or null.
Flight* Exchanges::flight_of(const AncestorPacket& reply) noexcept {
    const std::uint32_t number = reply.sequence;
    if (number >= ancestor_sequences) return nullptr;
    const std::uint32_t latest = numbers_.sequence_of(number);
    Flight* const flight = ancestor_flight(latest, number);
    if (flight == nullptr) return nullptr;
    // Nobody's clock shows our T1 to the nanosecond: an echo service has sent our packet back.
    if (flight->t1.bits == static_cast<std::uint64_t>(reply.time_ns)) return nullptr;
    if (numbers_.is_doubtful(number) && is_before_its_probe(reply, *flight)) {
        numbers_.note_former_reply(number);
        return ancestor_flight(latest - ancestor_sequences, number);
    }
    numbers_.note_reply(number);
    return flight;
}

// Whether the request had reached the far end before this one left, by all that is known of the two
// clocks: T2 - T1 is the delay and the offset together, and so never less than the least that the
// offset can be. A request that took a whole round of numbers to get there is not found out here;
// by then the numbers are spent, and the path is opened anew.
bool Exchanges::is_before_its_probe(const AncestorPacket& reply, const Flight& flight) noexcept {
    finish_held();
    check_own_clock();
    const LoopStamp& arrival = context_.reactor.arrival();
    const Duration passed = arrival.raw - flight.sent_raw;
    const Duration drift{passed.ns / 1'000 * plan_.drift_ppb / 1'000'000};
    const Duration slack = drift + arrival.uncertainty + flight.uncertainty + reading_noise;
    const OffsetReading known = path_clock_.read(arrival.raw, arrival.wall_minus_raw());
    const WallTime t1{flight.sent_raw.ns + arrival.wall_minus_raw().ns};
    return known.has_bounds && WallTime{reply.time_ns} - t1 + slack < known.offset_lo;
}

void Exchanges::answer_ancestor(Flight& flight, WallTime t2, const ReplyPath& path) noexcept {
    finish_held();
    check_own_clock();
    const LoopStamp& arrival = context_.reactor.arrival();
    flight.peer_sequence = flight.sequence;  // It does not count, as a stateless one.
    end_answered(flight, {.drops = path.drops,
                          .has_drops = path.has_drops,
                          .says_stateful = false,
                          .answered = arrival.raw});
    Answer answer = begin_answer(flight, path);
    PeerStamps& peer = answer.peer;
    peer.t2 = peer.t3 = t2;
    peer.has_t3 = false;
    peer.is_absolute = std::abs((t2 - arrival.wall).ns) <= clock_range.ns;
    hold_or_finish(answer, {.sequence = flight.sequence});
}

void Exchanges::on_ancestor_refused(std::uint8_t number, int error_number) noexcept {
    Flight* const flight = ancestor_flight(numbers_.sequence_of(number), number);
    if (flight == nullptr || flight == opened_) return;
    if (flight->state == Flight::State::outstanding) refuse(*flight, error_number);
}

}  // namespace latmon
