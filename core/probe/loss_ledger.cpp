// SPDX-License-Identifier: Apache-2.0
//
// See loss_ledger.hpp.
#include "probe/loss_ledger.hpp"

#include <algorithm>

namespace latmon {
namespace {

// Counts are 32 bits and wrap.
std::int32_t difference(std::uint32_t a, std::uint32_t b) noexcept {
    return static_cast<std::int32_t>(a - b);
}

bool is_open_loss(const Flight& flight) noexcept {
    return flight.state == Flight::State::lost && !flight.is_reported;
}

}  // namespace

void LossLedger::restart(std::uint32_t first) noexcept {
    const std::uint32_t next = has_path_ ? next_ : first;
    const std::uint32_t scan = has_path_ ? scan_ : first;
    *this = LossLedger(mode_, reorder_max_);
    has_path_ = true;
    first_ = first;
    next_ = next;
    scan_ = scan;
}

void LossLedger::note_answer(Flight& flight, const AnswerFacts& facts) noexcept {
    says_stateful_ |= facts.says_stateful;
    is_proved_stateful_ |= flight.peer_sequence != flight.sequence;
    // The kernel says nothing as long as there are none.
    if (facts.has_drops) drops_latest_ = facts.drops;
    flight.drops = drops_latest_;
    // A probe that was sent after a reply had come, and yet has no higher count than that: the
    // reflector began to count anew.
    const bool is_higher = !has_highest_ || difference(flight.peer_sequence, highest_) > 0;
    if (!is_higher && flight.sent_raw > highest_answered_) {
        has_rebase_ = true;
        rebase_at_ = flight.sequence;
    }
    if (is_higher || has_rebase_) {
        has_highest_ = true;
        highest_ = flight.peer_sequence;
        highest_answered_ = facts.answered;
    }
}

void LossLedger::note_extra_reply(Flight& flight, std::uint32_t count) noexcept {
    const bool is_settled = difference(flight.sequence, next_) < 0;
    if (flight.state == Flight::State::answered) {
        // A copy made on the way there was counted by the reflector; one on the way back was not.
        if (count != flight.peer_sequence) ++(is_settled ? extra_replies_ : flight.extra_replies);
    } else if (!is_settled) {
        flight.extra_replies = 1;
        flight.peer_sequence = count;
    } else if (difference(count, flight.peer_sequence) > 0) {
        // It came to the reflector only after its gap had been closed.
        ++extra_replies_;
    }
}

bool LossLedger::counts() const noexcept {
    if (mode_ != ReflectorMode::automatic) return mode_ == ReflectorMode::stateful;
    // One count for several senders, perhaps: it is always ahead of what we sent.
    constexpr std::uint32_t distrust_after = 3;
    return says_stateful_ || (is_proved_stateful_ && times_off_balance_ < distrust_after);
}

bool LossLedger::is_unstamped(const Flight& flight) const noexcept {
    return has_tx_stamps_ && flight.t1_source == StampSource::none &&
           difference(newest_stamped_, flight.sequence) > 0;
}

// -- Settling -----------------------------------------------------------------------------------

void LossLedger::settle(InFlight& flights, User& user) noexcept {
    for (; scan_ != flights.next(); ++scan_) {
        const Flight* const flight = flights.find(scan_);
        if (flight == nullptr) continue;
        if (flight->state == Flight::State::outstanding) return;
        if (flight->state == Flight::State::answered) close_gap(flights, *flight, user);
    }
}

void LossLedger::settle_without_answer(InFlight& flights, std::uint32_t last,
                                       std::optional<std::uint32_t> drops, User& user) noexcept {
    if (difference(last, next_) < 0) return;
    const std::uint32_t end = last + 1;
    const Gap gap = measure(flights, end, peer_max_);
    extra_replies_ += gap.extra_replies + gap.later_replies;
    // Of all drops up to now some may belong to probes that are not settled yet.
    const std::uint32_t dropped = std::min(drops_until(drops.value_or(drops_latest_)), gap.lost);
    drops_ += dropped;
    tell(flights, end,
         {.lost = gap,
          .knows_arrivals = false,
          .count = peer_max_,
          .reverse = 0,
          .local_rx = dropped},
         user);
    // What of these reached the reflector will never be known apart from what is lost later.
    is_gap_broken_ = true;
    if (difference(scan_, end) < 0) scan_ = end;
}

LossLedger::Gap LossLedger::measure(InFlight& flights, std::uint32_t end,
                                    std::uint32_t count) const noexcept {
    Gap gap;
    for (std::uint32_t sequence = next_; sequence != end; ++sequence) {
        const Flight* const flight = flights.find(sequence);
        if (flight == nullptr) continue;
        const bool is_included = difference(count, flight->peer_sequence) > 0;
        (is_included ? gap.extra_replies : gap.later_replies) += flight->extra_replies;
        if (!is_open_loss(*flight)) continue;
        ++gap.lost;
        if (is_unstamped(*flight)) ++gap.unstamped;
    }
    return gap;
}

// The drops since those that are accounted for.
std::uint32_t LossLedger::drops_until(std::uint32_t drops) const noexcept {
    const std::int32_t more = difference(drops, drops_);
    return more > 0 ? static_cast<std::uint32_t>(more) : 0;
}

// How many probes have reached the reflector since the last answer that was settled, this one
// included; nothing if that cannot be said.
std::optional<std::int64_t> LossLedger::arrivals_until(const Flight& answer) noexcept {
    const bool is_rebased = has_rebase_ && rebase_at_ == answer.sequence;
    if (is_rebased || !has_peer_max_) {
        const bool is_first = !has_peer_max_;
        has_peer_max_ = true;
        has_rebase_ = has_rebase_ && !is_rebased;
        peer_max_ = answer.peer_sequence;
        balance_ = 0;
        // A new session counts from 0 (RFC 8762 section 4.3.1), and cannot have counted more than
        // was sent.
        const bool is_new_session = peer_max_ <= answer.sequence - first_;
        if (!is_first || !is_new_session) return std::nullopt;
        return std::int64_t{peer_max_} + 1;
    }
    const std::int32_t more = difference(answer.peer_sequence, peer_max_);
    if (more <= 0) return 0;  // Overtaken by one that is settled already.
    peer_max_ = answer.peer_sequence;
    return more;
}

void LossLedger::close_gap(InFlight& flights, const Flight& answer, User& user) noexcept {
    if (difference(first_, next_) > 0) {  // Sent over the path before: nobody will ever know.
        const bool is_of_before = difference(first_, answer.sequence) > 0;
        tell(flights, is_of_before ? answer.sequence : first_, {}, user);
        if (is_of_before) {
            next_ = answer.sequence + 1;
            return;
        }
    }
    const Gap gap = measure(flights, answer.sequence, answer.peer_sequence);
    const std::optional<std::int64_t> arrivals = arrivals_until(answer);
    if (arrivals) balance_ += *arrivals - 1 - extra_replies_ - gap.extra_replies;
    // A copy of this one came to the reflector after it: that is in the next gap.
    extra_replies_ = answer.extra_replies + gap.later_replies;
    const bool knows_arrivals = arrivals.has_value() && !is_gap_broken_ && counts();
    if (!knows_arrivals) balance_ = std::min<std::int64_t>(balance_, 0);
    is_gap_broken_ = false;
    std::int64_t reverse = 0;
    if (knows_arrivals) {
        reverse = std::clamp<std::int64_t>(balance_, 0, gap.lost);
        balance_ -= reverse;
    }
    const std::uint32_t limit = knows_arrivals ? static_cast<std::uint32_t>(reverse) : gap.lost;
    const Verdict verdict{.lost = gap,
                          .knows_arrivals = knows_arrivals,
                          .count = answer.peer_sequence,
                          .reverse = static_cast<std::uint32_t>(reverse),
                          .local_rx = std::min(drops_until(answer.drops), limit)};
    // What was dropped beyond these was no reply to a lost probe.
    drops_ += drops_until(answer.drops);
    tell(flights, answer.sequence, verdict, user);
    next_ = answer.sequence + 1;
    age_balance(answer.sent_raw);
}

// Replies that overtake each other put the balance out for a moment. What stays is no loss: a copy
// of which nothing came back, or a probe that arrived after it had been told lost on the way there.
void LossLedger::age_balance(RawInstant sent) noexcept {
    if (balance_ == 0) {
        is_off_balance_ = false;
    } else if (!is_off_balance_) {
        is_off_balance_ = true;
        off_balance_since_ = sent;
    } else if (sent - off_balance_since_ > reorder_max_) {
        balance_ = 0;
        is_off_balance_ = false;
        ++times_off_balance_;
    }
}

void LossLedger::tell(InFlight& flights, std::uint32_t end, Verdict verdict, User& user) noexcept {
    // Those that the kernel saw leave are the first that may have arrived.
    const std::uint32_t stamped = verdict.lost.lost - verdict.lost.unstamped;
    std::uint32_t stamped_reverse = std::min(verdict.reverse, stamped);
    std::uint32_t unstamped_reverse = verdict.reverse - stamped_reverse;
    for (; next_ != end; ++next_) {
        Flight* const flight = flights.find(next_);
        if (flight == nullptr) continue;
        flight->peer_sequence = verdict.count;
        if (!is_open_loss(*flight)) continue;
        const bool unstamped = is_unstamped(*flight);
        std::uint32_t& reverse_left = unstamped ? unstamped_reverse : stamped_reverse;
        LossAddress address = LossAddress::unknown;
        const bool is_reverse = reverse_left > 0;
        if (is_reverse) --reverse_left;
        if ((is_reverse || (!verdict.knows_arrivals && !unstamped)) && verdict.local_rx > 0) {
            --verdict.local_rx;
            address = LossAddress::local_rx;
        } else if (is_reverse) {
            address = LossAddress::reverse;
        } else if (unstamped) {
            address = LossAddress::local_tx;
        } else if (verdict.knows_arrivals) {
            address = LossAddress::forward;
        }
        flight->is_reported = true;
        user.on_loss(*flight, address);
    }
}

Flight* LossLedger::oldest_unreported(InFlight& flights) noexcept {
    for (std::uint32_t sequence = next_; sequence != scan_; ++sequence) {
        Flight* const flight = flights.find(sequence);
        if (flight != nullptr && is_open_loss(*flight)) return flight;
    }
    return nullptr;
}

}  // namespace latmon
