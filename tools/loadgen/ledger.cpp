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

Ledger::Entry& Ledger::open(std::uint64_t slot) noexcept {
    LATMON_ASSERT(slot == counts_.slots);
    ++counts_.slots;
    Entry& entry = entry_of(slot);
    LATMON_ASSERT(entry.state != State::in_flight);
    entry.slot = slot;
    entry.state = State::none;
    return entry;
}

void Ledger::on_sent(std::uint64_t slot, WireTime t1, RawInstant sent_at) noexcept {
    Entry& entry = open(slot);
    entry.sent_at = sent_at;
    entry.t1 = t1;
    entry.state = State::in_flight;
    ++counts_.sent;
}

void Ledger::on_missed(std::uint64_t slot) noexcept {
    open(slot);
    ++counts_.missed;
}

void Ledger::on_send_error(std::uint64_t slot) noexcept {
    open(slot);
    ++counts_.send_errors;
}

std::optional<Duration> Ledger::on_reply(std::uint32_t sender, const Echo& reply,
                                         RawInstant now) noexcept {
    ++counts_.replies;
    const std::uint64_t slot = grid_.slot(sender, reply.sequence);
    Entry& entry = entry_of(slot);
    const bool is_echo = !reply.t1 || entry.t1 == *reply.t1;
    if (entry.state == State::none || entry.slot != slot || !is_echo) {
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
        if (entry.slot != oldest_ || entry.state != State::in_flight) continue;
        if (now - entry.sent_at <= timeout_) return;
        entry.state = State::lost;
        ++counts_.lost;
    }
}

}  // namespace latmon::loadgen
