// SPDX-License-Identifier: Apache-2.0
//
// How much the reflector answers: a token bucket per source (an IPv4 address, or the /64 of an IPv6
// one) and one over all, so that neither one source nor many can make this core do more than it was
// told to. One per core-thread; allocates when it is built, never after.
//
// A bucket is one number, the time at which it will be full again (the "theoretical arrival time"
// of the generic cell rate algorithm, ITU-T I.371 annex A). Every packet moves it one interval into
// the future; a packet is refused if that would put it more than burst intervals ahead of now. A
// bucket whose time has passed is full, which is the same as never seen.
//
// The table is fixed, in sets of 8 slots; a source's set is chosen by a keyed hash. A source that
// is not in its set takes over the fullest bucket there, with what is missing from it. So:
//  - a source near its limit has the emptiest bucket of its set and stays, whatever flood of other
//    addresses passes by: a flood cannot wash away the memory of anybody's excess;
//  - a source well below its limit may lose its slot, and with it nothing: its bucket was full;
//  - a set as a whole never admits more than 8 sources' worth, however many addresses an attacker
//    makes up. Newcomers are refused only while 8 buckets of their set are empty at once.
#pragma once

#include "base/address.hpp"
#include "base/keyed_hash.hpp"
#include "base/limits.hpp"
#include "base/time.hpp"
#include "base/zeroed_array.hpp"
#include "config/config.hpp"

#include <cstdint>

namespace latmon {

enum class RateVerdict : std::uint8_t { ok, source_limited, total_limited };

class RateLimiter {
public:
    // Rates and bursts are at least 1. What may come at once over all sources is what comes at the
    // full rate in limits::rate_total_burst_ns. [set-up]
    RateLimiter(const ReflectorConfig& config, HashKey key);

    // Takes its memory, all of it, now. [set-up]
    void take_memory() noexcept { slots_.take_memory(); }

    // Takes one token from each bucket if both have one, else from none. `now` never goes back.
    // [core-thread]
    [[nodiscard]] RateVerdict admit(const AddressBytes& source, Instant now) noexcept;

    // As admit(), for sources that are known and exempt from the limit per source. [core-thread]
    [[nodiscard]] RateVerdict admit_provisioned(Instant now) noexcept;

private:
    // Whole nanoseconds, rounded up: at rates that do not divide a second, slightly less is let
    // through than was asked for (0.1 % at a million a second), never more.
    struct Pace {
        Pace(std::uint32_t per_s, std::uint64_t burst) noexcept;
        [[nodiscard]] bool allows(Instant full_at, Instant now) const noexcept {
            return full_at <= now + ahead_max;
        }
        [[nodiscard]] Instant after_one(Instant full_at, Instant now) const noexcept {
            return (full_at > now ? full_at : now) + interval;
        }
        Duration interval;
        Duration ahead_max;  // How far ahead of now a bucket may stand before it takes a packet.
    };
    struct Slot {
        std::uint64_t source = 0;
        Instant full_at;
    };

    [[nodiscard]] Slot& slot_of(std::uint64_t source) noexcept;

    Pace source_pace_;
    Pace total_pace_;
    HashKey key_;
    Instant total_full_at_;
    ZeroedArray<Slot> slots_;
};

}  // namespace latmon
