// SPDX-License-Identifier: Apache-2.0
//
// The probes of one target that are under way, and those just behind them. Sequence number n lies
// in slot n mod size; a slot is kept until its number comes round again, so that a reply that comes
// too late and one that comes twice can still be told apart:
//
//        oldest                 next
//          v                      v
//   . l a  o a o o a a o o o o o  .  . .      o outstanding, a answered, l lost or refused
//
// The plan makes the table at least twice as long as a timeout lasts, so that an outstanding slot
// is never overwritten. Numbers are 32 bits and wrap; differences are taken modulo 2^32. Owned by
// one probe.
#pragma once

#include "base/assert.hpp"
#include "base/time.hpp"
#include "wire/timestamp.hpp"

#include <bit>
#include <cstdint>
#include <span>

namespace latmon {

struct Flight {
    enum class State : std::uint8_t { empty, outstanding, answered, lost };

    std::uint32_t sequence = 0;
    State state = State::empty;
    Instant due;          // The slot it was sent for, jitter included.
    Duration lateness;    // Sent so much after `due`: our own error.
    RawInstant sent_raw;  // What an RTT is counted from.
    WireTime t1;          // As it stands in the packet; a reply must echo it.
};

class InFlight {
public:
    // `slots`, a power of two of them, belong to the caller and are all empty.
    explicit InFlight(std::span<Flight> slots) noexcept : slots_(slots) {
        LATMON_ASSERT(std::has_single_bit(slots.size()));
    }

    // Opens the next sequence number as outstanding.
    Flight& begin() noexcept {
        Flight& flight = slot(next_);
        LATMON_ASSERT(flight.state != Flight::State::outstanding);
        flight = Flight{};
        flight.sequence = next_++;
        flight.state = Flight::State::outstanding;
        ++outstanding_;
        return flight;
    }

    // Ends an outstanding flight.
    void end(Flight& flight, Flight::State state) noexcept {
        LATMON_ASSERT(flight.state == Flight::State::outstanding && outstanding_ > 0);
        flight.state = state;
        --outstanding_;
    }

    // The flight with this number, or null if it was never sent or is forgotten.
    [[nodiscard]] Flight* find(std::uint32_t sequence) noexcept {
        Flight& flight = slot(sequence);
        const bool is_it = flight.state != Flight::State::empty && flight.sequence == sequence;
        return is_it ? &flight : nullptr;
    }

    // The outstanding flight that was sent first, or null. Amortised constant: the search goes on
    // from where it ended.
    [[nodiscard]] Flight* oldest() noexcept {
        if (outstanding_ == 0) {
            oldest_ = next_;
            return nullptr;
        }
        while (slot(oldest_).state != Flight::State::outstanding)
            ++oldest_;
        return &slot(oldest_);
    }

    // True if this number was sent, so long ago that its flight is forgotten. A number "ahead" of
    // next by less than half the space was never sent.
    [[nodiscard]] bool is_past(std::uint32_t sequence) const noexcept {
        return static_cast<std::int32_t>(next_ - sequence) > 0;
    }

    [[nodiscard]] std::uint32_t next() const noexcept { return next_; }
    [[nodiscard]] std::uint32_t outstanding() const noexcept { return outstanding_; }

private:
    [[nodiscard]] Flight& slot(std::uint32_t sequence) noexcept {
        return slots_[sequence & (slots_.size() - 1)];
    }

    std::span<Flight> slots_;
    std::uint32_t next_ = 0;
    std::uint32_t oldest_ = 0;  // No outstanding number is older.
    std::uint32_t outstanding_ = 0;
};

}  // namespace latmon
