// SPDX-License-Identifier: Apache-2.0
//
// What became of every slot of a probing load: one entry per slot in a ring that reaches back two
// timeouts, so that a reply can be told to be the first, a second, or too late. Pure bookkeeping on
// times it is given; one thread. It neither sends nor receives.
//
//   slots = sent + missed + send_errors + lost_on_purpose + waiting (which become left_waiting)
//   sent  = answered + lost + in flight          (late ones were lost before)
//   replies = answered + late + duplicates + invalid
#pragma once

#include "base/time.hpp"
#include "loadgen/slots.hpp"
#include "wire/timestamp.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace latmon::loadgen {

// What a reply gives back of the request.
struct Echo {
    std::uint32_t sequence = 0;
    std::uint16_t ssid = 0;
    std::optional<WireTime> t1;          // Nothing: this kind of packet does not.
    std::optional<Duration> turnaround;  // T3 - T2, if it says so.
};

struct LedgerCounts {
    std::uint64_t slots = 0;
    std::uint64_t sent = 0;
    std::uint64_t missed = 0;  // Not sent: we were too late for it.
    std::uint64_t send_errors = 0;
    std::uint64_t lost_on_purpose = 0;  // Not sent: the simulated network had it.
    std::uint64_t left_waiting = 0;     // Not sent: the time was over before it was to leave.
    std::uint64_t answered = 0;
    std::uint64_t lost = 0;
    std::uint64_t replies = 0;
    std::uint64_t late = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t invalid = 0;  // No reply, or to nothing that we sent lately.
};

class Ledger {
public:
    // `capacity` entries at least: more than slots that can fall due within a timeout, the lateness
    // that is still sent, and the longest that a probe is held up behind its slot.
    Ledger(const SlotGrid& grid, Duration timeout, std::uint64_t capacity);

    // One of these for every slot, in the order in which they are to leave; one that others pass
    // waits. expire() must have been called with a `now` no earlier than that by which the slot was
    // found due.
    void on_sent(std::uint64_t slot, WireTime t1, RawInstant sent_at) noexcept;
    void on_missed(std::uint64_t slot) noexcept;
    void on_send_error(std::uint64_t slot) noexcept;
    void on_lost_on_purpose(std::uint64_t slot) noexcept;
    // What waits will not leave: nothing is sent after this.
    void abandon_waiting() noexcept;

    // A reply to the sender with index `sender`, read at `now`. The time from send to reply if it
    // is the slot's answer, else nothing; either way it is counted.
    [[nodiscard]] std::optional<Duration> on_reply(std::uint32_t sender, const Echo& reply,
                                                   RawInstant now) noexcept;
    // A packet that is no reply.
    void on_invalid() noexcept;

    // What was sent a timeout before `now` and has no answer is lost.
    void expire(RawInstant now) noexcept;

    [[nodiscard]] std::uint64_t in_flight() const noexcept {
        return counts_.sent - counts_.answered - counts_.lost;
    }
    [[nodiscard]] const LedgerCounts& counts() const noexcept { return counts_; }

private:
    enum class State : std::uint8_t { none, waiting, in_flight, answered, lost };
    struct Entry {
        std::uint64_t slot = 0;
        RawInstant sent_at;
        WireTime t1;
        State state = State::none;
    };

    [[nodiscard]] Entry& entry_of(std::uint64_t slot) noexcept { return entries_[slot & mask_]; }
    Entry& settle(std::uint64_t slot) noexcept;

    SlotGrid grid_;
    Duration timeout_;
    std::vector<Entry> entries_;
    std::uint64_t mask_;
    std::uint64_t oldest_ = 0;  // Before it none waits or is in flight.
    LedgerCounts counts_;
};

}  // namespace latmon::loadgen
