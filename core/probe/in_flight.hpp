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
#include "reactor/stamp.hpp"
#include "wire/timestamp.hpp"

#include <bit>
#include <cstdint>
#include <span>

namespace latmon {

struct Flight {
    enum class State : std::uint8_t { empty, outstanding, answered, lost };

    Instant due;              // The slot it was sent for, jitter included.
    Duration lateness;        // Sent so much after `due`: our own error.
    RawInstant sent_raw;      // User space's T1 on the steady clock.
    Duration wall_minus_raw;  // Of our clocks at that time,
    Duration uncertainty;     // right within so much.
    WireTime t1;              // As it stands in the packet; a reply must echo it.
    WallTime t1_kernel;       // The kernel's T1, as our wall clock showed it.
    WallTime t1_card;         // The card's T1, by its own clock.

    std::uint32_t sequence = 0;
    std::uint32_t acked_ns = 0;       // From t1_user() until the peer's host acknowledged it.
    std::uint32_t drops = 0;          // Of our receive buffer before its answer came.
    std::uint32_t extra_replies = 0;  // Counted by the reflector, and no loss: see LossLedger.
    // The reflector's own number of its reply; of a lost one, of the answer that closed its gap.
    std::uint32_t peer_sequence = 0;
    State state = State::empty;
    StampSource t1_source = StampSource::none;  // Who took `t1_kernel`; none: nobody, so far.
    bool is_reported = true;   // Its outcome is told; false: a loss whose address is sought.
    bool is_measuring = true;  // False: it carries our descriptor, and is no sample.
    bool has_t1_card = false;
    bool is_acked = false;  // TCP: `acked_ns` is known.
    // Sent in the ancestor's format: its number in the packet, and what that asked for (see
    // AncestorPacket::hello). Its `t1` is in nanoseconds since 1970, and no reply echoes it.
    bool is_ancestor = false;
    std::uint8_t ancestor_number = 0;
    std::uint8_t hello = 0;

    // User space's T1 by the wall clock.
    [[nodiscard]] WallTime t1_user() const noexcept {
        return WallTime{sent_raw.ns + wall_minus_raw.ns};
    }
};

// Thousands of probes have eight each, at least.
static_assert(sizeof(Flight) <= 96);

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
        if (outstanding_ == 0) oldest_ = next_;  // Nobody may have asked for a whole round.
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

    // The slot that the next begin() takes over; its flight may still be of interest.
    [[nodiscard]] Flight& next_slot() noexcept { return slot(next_); }

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
