// SPDX-License-Identifier: Apache-2.0
//
// See ledger.hpp.
#include "loadgen/ledger.hpp"

#include "base/assert.hpp"

#include <bit>

namespace latmon::loadgen {

Ledger::Ledger(const SlotGrid& grid, Duration timeout, std::uint64_t capacity)
    : grid_(grid),
      timeout_(timeout),
      entries_(std::bit_ceil(capacity)),
      mask_(entries_.size() - 1) {}

Ledger::Entry& Ledger::settle(std::uint64_t slot) noexcept {
    for (; counts_.slots <= slot; ++counts_.slots) {
        Entry& entry = entry_of(counts_.slots);
        LATMON_ASSERT(entry.state != State::in_flight && entry.state != State::waiting);
        entry.slot = counts_.slots;
        entry.state = State::waiting;
    }
    Entry& entry = entry_of(slot);
    LATMON_ASSERT(entry.slot == slot && entry.state == State::waiting);
    entry.state = State::none;
    return entry;
}

void Ledger::on_sent(std::uint64_t slot, WireTime t1, RawInstant sent_at) noexcept {
    Entry& entry = settle(slot);
    entry.sent_at = sent_at;
    entry.t1 = t1;
    entry.state = State::in_flight;
    ++counts_.sent;
}

void Ledger::on_missed(std::uint64_t slot) noexcept {
    settle(slot);
    ++counts_.missed;
}

void Ledger::on_send_error(std::uint64_t slot) noexcept {
    settle(slot);
    ++counts_.send_errors;
}

void Ledger::on_lost_on_purpose(std::uint64_t slot) noexcept {
    settle(slot);
    ++counts_.lost_on_purpose;
}

void Ledger::abandon_waiting() noexcept {
    for (std::uint64_t slot = oldest_; slot < counts_.slots; ++slot) {
        Entry& entry = entry_of(slot);
        if (entry.slot != slot || entry.state != State::waiting) continue;
        entry.state = State::none;
        ++counts_.left_waiting;
    }
}

std::optional<Duration> Ledger::on_reply(std::uint32_t sender, const Echo& reply,
                                         RawInstant now) noexcept {
    ++counts_.replies;
    const std::uint64_t slot = grid_.slot(sender, reply.sequence);
    Entry& entry = entry_of(slot);
    const bool is_echo = !reply.t1 || entry.t1 == *reply.t1;
    const bool was_sent = entry.state != State::none && entry.state != State::waiting;
    if (!was_sent || entry.slot != slot || !is_echo) {
        ++counts_.invalid;
        return std::nullopt;
    }
    const Duration elapsed = now - entry.sent_at;
    if (entry.state == State::in_flight && elapsed <= timeout_) {
        entry.state = State::answered;
        ++counts_.answered;
        return elapsed;
    }
    if (entry.state == State::in_flight) {
        entry.state = State::lost;
        ++counts_.lost;
    }
    if (entry.state == State::lost) {
        entry.state = State::answered;  // A second one is a duplicate.
        ++counts_.late;
    } else {
        ++counts_.duplicates;
    }
    return std::nullopt;
}

void Ledger::on_invalid() noexcept {
    ++counts_.replies;
    ++counts_.invalid;
}

void Ledger::expire(RawInstant now) noexcept {
    for (; oldest_ < counts_.slots; ++oldest_) {
        Entry& entry = entry_of(oldest_);
        if (entry.slot != oldest_) continue;  // Used again: it was settled.
        if (entry.state == State::waiting) return;
        if (entry.state != State::in_flight) continue;
        if (now - entry.sent_at <= timeout_) return;
        entry.state = State::lost;
        ++counts_.lost;
    }
}

}  // namespace latmon::loadgen
